//! Time-based one-time passwords: RFC 6238 over RFC 4226, with what every authenticator app does: SHA-1, 6 digits, 30 seconds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::kernel::mac::same;
use crate::kernel::time::Timestamp;

const STEP_MILLIS: i64 = 30_000;
/// Steps by which the device's clock may be off, either way.
const DRIFT_MAX: i64 = 1;
const DIGITS: u32 = 6;

/// The step that is now.
pub fn step(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(STEP_MILLIS)
}

/// The step near `now` whose code this is. All are compared, each in constant time.
pub fn step_of(seed: &[u8], text: &str, now: Timestamp) -> Option<i64> {
    let around = (-DRIFT_MAX..=DRIFT_MAX).map(|drift| step(now).saturating_add(drift));
    let matching: Vec<i64> = around.filter(|step| same(code(seed, *step, DIGITS).as_bytes(), text.as_bytes())).collect();
    matching.last().copied()
}

/// The code of a step.
pub fn code(seed: &[u8], step: i64, digits: u32) -> String {
    // HMAC takes keys of any length, so there is always a MAC.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(seed) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let bytes = mac.finalize().into_bytes();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let word = bytes.iter().skip(offset).take(4).fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) & 0x7fff_ffff;
    let digits_max = 10_u32.saturating_pow(digits);
    format!("{:0width$}", word.checked_rem(digits_max).unwrap_or(0), width = usize::try_from(digits).unwrap_or(0))
}

/// Base32 of RFC 4648 without padding, as authenticator apps read it.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let word = (0..5).fold(0_u64, |word, at| (word << 8) | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let letters = chunk.len().saturating_mul(8).div_ceil(5);
        for place in (0..8_u32).take(letters) {
            let digit = usize::try_from((word >> 35_u32.saturating_sub(place.saturating_mul(5))) & 31).unwrap_or(0);
            text.push(char::from(LETTERS.get(digit).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// What authenticator apps read from a QR code.
pub fn uri(app_url: &str, account: &str, secret: &str) -> String {
    let host = app_url.split("://").last().and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    let (issuer, account) = (escaped(host), escaped(account));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let check = |seconds: i64, expected: &str| {
            assert_eq!(code(SEED, step(Timestamp::from_millis(seconds * 1_000)), 8), expected, "{seconds}");
        };
        check(59, "94287082");
        check(1_111_111_109, "07081804");
        check(1_111_111_111, "14050471");
        check(1_234_567_890, "89005924");
        check(2_000_000_000, "69279037");
        check(20_000_000_000, "65353130");
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        let expected = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        let codes: Vec<String> = (0..10).map(|count| code(SEED, count, 6)).collect();
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_clock_may_be_off_by_one_step() {
        let at = |step: i64| Timestamp::from_millis(step * STEP_MILLIS + 10_000);
        let text = code(SEED, 1_000, 6);
        for (now, expected) in [(998, None), (999, Some(1_000)), (1_000, Some(1_000)), (1_001, Some(1_000)), (1_002, None)] {
            assert_eq!(step_of(SEED, &text, at(now)), expected, "{now}");
        }
        for text in ["", "12345", "1234567", "abcdef", "94287082"] {
            assert_eq!(step_of(SEED, text, at(1)), None, "{text}");
        }
    }

    #[test]
    fn a_uri_names_issuer_and_account() {
        let expected = "otpauth://totp/app.example:ada%2Bx%40acme.example?secret=ABC&issuer=app.example&algorithm=SHA1&digits=6&period=30";
        assert_eq!(uri("https://app.example:8787/x", "ada+x@acme.example", "ABC"), expected);
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        let expected =
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")];
        expected.iter().for_each(|(bytes, text)| assert_eq!(base32(bytes.as_bytes()), *text));
    }
}
