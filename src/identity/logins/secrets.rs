//! The secrets in the email of a login: a code to type and a token in a link. Both are derived from the login's id and the server's secret.

use super::rules::Login;
use crate::kernel::ids::{LoginId, decode_base32, encode_base32};
use crate::kernel::mac::{mac, same, short};

const PREFIX: &str = "tk_login_";
const CODES: u64 = 1_000_000;

/// Six digits.
pub fn code(login: LoginId, secret: &[u8]) -> String {
    let [a, b, c, d, e, f, g, h, ..] = mac(secret, "login code", &[&login.to_bytes()]);
    format!("{:06}", u64::from_be_bytes([a, b, c, d, e, f, g, h]).checked_rem(CODES).unwrap_or(0))
}

/// The first of `logins` that has this code. All of them are compared, each in constant time.
pub fn with_code<'a>(logins: &'a [Login], text: &str, secret: &[u8]) -> Option<&'a Login> {
    let matching: Vec<&Login> = logins.iter().filter(|login| same(code(login.id, secret).as_bytes(), text.as_bytes())).collect();
    matching.first().copied()
}

/// The token in the link: `tk_login_` + login + MAC, each 26 letters of base32.
pub fn token(login: LoginId, secret: &[u8]) -> String {
    format!("{PREFIX}{}{}", encode_base32(login.to_bytes()), encode_base32(token_mac(login, secret)))
}

/// The login whose token this is; None for everything that was not made here.
pub fn read_token(text: &str, secret: &[u8]) -> Option<LoginId> {
    let letters = text.strip_prefix(PREFIX)?;
    let login = LoginId::from_bytes(decode_base32(letters.get(..26)?)?);
    let given = decode_base32(letters.get(26..)?)?;
    same(&token_mac(login, secret), &given).then_some(login)
}

fn token_mac(login: LoginId, secret: &[u8]) -> [u8; 16] {
    short(mac(secret, "login link", &[&login.to_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_and_differs_from_login_to_login() {
        let codes: Vec<String> = (0..100_u8).map(|number| code(LoginId::from_bytes([number; 16]), b"secret")).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit())), "{codes:?}");
        assert!(codes.iter().collect::<std::collections::BTreeSet<_>>().len() > 95);
        assert!(codes.iter().any(|code| code.starts_with('0')), "zeros in front are kept");
    }

    #[test]
    fn only_what_was_made_here_is_read() {
        let login = LoginId::from_bytes([3; 16]);
        let text = token(login, b"secret");
        assert_eq!(read_token(&text, b"secret"), Some(login));
        assert_eq!(read_token(&text, b"other"), None);
        (0..text.len()).for_each(|cut| assert_eq!(read_token(&text[..cut], b"secret"), None));
        let logins = [Login { id: login, email: String::new() }];
        assert_eq!(with_code(&logins, &code(login, b"secret"), b"secret"), Some(&logins[0]));
        assert_eq!(with_code(&logins, &code(login, b"other"), b"secret"), None);
        assert_eq!(with_code(&logins, "", b"secret"), None);
    }
}
