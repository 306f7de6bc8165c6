//! The form of a key's secret: a prefix, the ids that it names and a MAC, 26 letters of base32 each. It is verified without a database,
//! and the prefix with the first id may be shown.

use crate::kernel::ids::{decode_base32, encode_base32};
use crate::kernel::mac::same;

const LETTERS: usize = 26;

/// The part of a secret that may be shown: it identifies the key and grants no access.
pub fn shown(prefix: &str, key: [u8; 16]) -> String {
    format!("{prefix}{}", encode_base32(key))
}

/// The whole secret.
pub fn write(prefix: &str, ids: &[[u8; 16]], mac: [u8; 16]) -> String {
    let letters: String = ids.iter().chain([&mac]).map(|bytes| encode_base32(*bytes)).collect();
    format!("{prefix}{letters}")
}

/// The ids that a secret names, if its MAC is the one that `mac` computes for them, compared in constant time. None for everything that
/// was not minted here.
pub fn read<const IDS: usize>(prefix: &str, text: &str, mac: impl FnOnce([[u8; 16]; IDS]) -> [u8; 16]) -> Option<[[u8; 16]; IDS]> {
    let mut rest = text.strip_prefix(prefix)?;
    let mut ids = [[0; 16]; IDS];
    for id in &mut ids {
        let (letters, after) = rest.split_at_checked(LETTERS)?;
        *id = decode_base32(letters)?;
        rest = after;
    }
    let given = decode_base32(rest)?;
    same(&mac(ids), &given).then_some(ids)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Not a MAC, but like one it depends on all ids.
    fn sum(ids: [[u8; 16]; 2]) -> [u8; 16] {
        std::array::from_fn(|place| ids[0][place].wrapping_add(ids[1][place]).wrapping_add(7))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else(one: [u8; 16], two: [u8; 16], place in 0_usize..78, letter in "[0-9a-z]") {
            let text = write("tk_x_", &[one, two], sum([one, two]));
            prop_assert_eq!(read("tk_x_", &text, sum), Some([one, two]));
            prop_assert!(text.starts_with(&shown("tk_x_", one)));
            let mut other = text.clone();
            other.replace_range(5 + place..6 + place, &letter);
            prop_assert!(other == text || read("tk_x_", &other, sum).is_none());
            prop_assert_eq!(read("tk_y_", &text, sum), None);
            prop_assert_eq!(read("tk_x_", &format!("{text}0"), sum), None);
        }

        #[test]
        fn no_text_is_too_odd(text in "(tk_x_)?.{0,100}") {
            prop_assert_eq!(read("tk_x_", &text, sum), None);
        }
    }
}
