//! Which texts are origins.

use std::net::Ipv4Addr;

use super::origins::Origins;
use crate::kernel::problem::Problem;

/// The list is compared with every `Origin`, and a vendor has few applications.
pub const ORIGINS_MAX: usize = 100;
/// The longest host name has 253 characters.
const ORIGIN_LENGTH_MAX: usize = 270;
const HOST_LENGTH_MAX: usize = 253;
const LABEL_LENGTH_MAX: usize = 63;
/// Hosts of the own machine, whose traffic nobody can read: `http` is accepted for them.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

const REMEDY: &str = "Send an exact origin such as https://app.example.com: the scheme, the host in lower case and, unless it is the \
     default, the port; no path, no wildcard. http:// is accepted for localhost only.";

impl Origins {
    /// Refuses the first entry that no browser would send, and the first one that is repeated.
    pub fn check(&self) -> Result<(), Problem> {
        let refused = |pointer: String, detail: String| Err(Problem::invalid(pointer, "invalid_value", detail));
        if self.0.len() > ORIGINS_MAX {
            return refused("/origins".to_owned(), format!("Send at most {ORIGINS_MAX} origins."));
        }
        for (index, origin) in self.0.iter().enumerate() {
            let pointer = format!("/origins/{index}");
            if !is_origin(origin) {
                return refused(pointer, REMEDY.to_owned());
            }
            if self.0.iter().take(index).any(|earlier| earlier == origin) {
                return refused(pointer, "The origin is in the list twice. Send each origin once.".to_owned());
            }
        }
        Ok(())
    }
}

/// Whether a browser writes an origin like this (RFC 6454, 6.2).
fn is_origin(text: &str) -> bool {
    if text.len() > ORIGIN_LENGTH_MAX {
        return false;
    }
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let local = LOCAL_HOSTS.iter().find_map(|host| Some((*host, authority.strip_prefix(host)?)));
    let local = local.filter(|(_, rest)| rest.is_empty() || rest.starts_with(':'));
    let (host, rest) = local.unwrap_or_else(|| authority.split_at(authority.find(':').unwrap_or(authority.len())));
    let default_port = match scheme {
        "https" => 443,
        "http" if local.is_some() => 80,
        _ => return false,
    };
    (local.is_some() || is_host(host)) && (rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| is_port(port, default_port)))
}

/// A name of labels in lower case (an international one in its ASCII form), or an address.
fn is_host(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=LABEL_LENGTH_MAX).contains(&label.len()) && label.bytes().all(is_letter) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_name = !last.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= HOST_LENGTH_MAX && host.split('.').all(is_label) && (is_name || host.parse::<Ipv4Addr>().is_ok())
}

/// A port as browsers write it: a number without zeros in front, and absent where it is the default.
fn is_port(text: &str, default: u16) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    digits && text.parse::<u16>().is_ok_and(|port| port != default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for origin in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://xn--bcher-kva.example",
            "https://192.0.2.1",
            "https://intranet",
            "https://localhost",
            "http://localhost",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "",
            "*",
            "null",
            "https://",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com:443",
            "https://app.example.com:",
            "https://app.example.com:0443",
            "https://app.example.com:70000",
            "https://app.example.com:+1",
            "https://App.example.com",
            "https://bücher.example",
            "https://ada@app.example.com",
            "https://app..example.com",
            "https://-app.example.com",
            "https://999.0.0.1",
            "https://app.example.com https://other.example",
            "http://app.example.com",
            "http://localhost.example.com",
            "http://localhost:80",
            "HTTPS://app.example.com",
            "ftp://app.example.com",
            "app.example.com",
        ] {
            assert!(!is_origin(other), "{other}");
        }
        assert!(!is_origin(&format!("https://{}.example", "a".repeat(64))));
    }

    #[test]
    fn a_list_is_bounded_and_names_each_once() {
        let numbered = |count: usize| Origins((0..count).map(|number| format!("https://app{number}.example")).collect());
        assert!(numbered(0).check().is_ok() && numbered(ORIGINS_MAX).check().is_ok());
        let pointer = |origins: Origins| origins.check().err().map(|problem| problem.errors[0].pointer.clone());
        assert_eq!(pointer(numbered(ORIGINS_MAX + 1)), Some("/origins".into()));
        let twice = Origins(["https://a.example", "https://b.example", "https://a.example"].map(str::to_owned).to_vec());
        assert_eq!(pointer(twice), Some("/origins/2".into()));
    }
}
