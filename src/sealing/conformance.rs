//! What a [`Sealing`] must do, as a list that runs against WebCrypto on the real runtime and against the twin of the tests.

use crate::kernel::error::{Error, Result};
use crate::kernel::ports::{Lock, Sealing};

/// A test vector of the GCM specification (McGrew and Viega, appendix B), in hex.
struct Vector {
    sentence: &'static str,
    key: &'static str,
    nonce: &'static str,
    context: &'static str,
    plain: &'static str,
    sealed: &'static str,
}

const VECTORS: [Vector; 3] = [
    Vector {
        sentence: "nothing is sealed as in test case 13",
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        context: "",
        plain: "",
        sealed: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    Vector {
        sentence: "a block is sealed as in test case 14",
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        context: "",
        plain: "00000000000000000000000000000000",
        sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    },
    Vector {
        sentence: "blocks with a context are sealed as in test case 16",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        context: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682883\
                 8c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    },
];

/// Each sentence, and why it does not hold where it does not.
pub async fn check(sealing: &dyn Sealing) -> Vec<(&'static str, std::result::Result<(), String>)> {
    let mut findings = Vec::new();
    for vector in &VECTORS {
        findings.push((vector.sentence, vector.holds(sealing).await.map_err(|error| format!("{error:?}"))));
    }
    findings.push(("what was changed does not open", tampered(sealing).await.map_err(|error| format!("{error:?}"))));
    findings
}

impl Vector {
    async fn holds(&self, sealing: &dyn Sealing) -> Result<()> {
        let (key, nonce, context) = (exactly(self.key)?, exactly(self.nonce)?, bytes(self.context));
        let lock = Lock { key: &key, nonce: &nonce, context: &context };
        let sealed = sealing.encrypt(lock, &bytes(self.plain)).await?;
        same("sealed", Some(sealed.clone()), bytes(self.sealed))?;
        same("opened", sealing.decrypt(lock, &sealed).await?, bytes(self.plain))
    }
}

async fn tampered(sealing: &dyn Sealing) -> Result<()> {
    let (key, nonce) = ([1; 32], [2; 12]);
    let lock = Lock { key: &key, nonce: &nonce, context: b"context" };
    let sealed = sealing.encrypt(lock, b"secret").await?;
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
        refused(sealing.decrypt(lock, &changed).await?)?;
    }
    refused(sealing.decrypt(Lock { context: b"another", ..lock }, &sealed).await?)?;
    refused(sealing.decrypt(Lock { nonce: &[3; 12], ..lock }, &sealed).await?)?;
    refused(sealing.decrypt(Lock { key: &[4; 32], ..lock }, &sealed).await?)?;
    refused(sealing.decrypt(lock, b"").await?)
}

fn refused(opened: Option<Vec<u8>>) -> Result<()> {
    opened.map_or(Ok(()), |plain| Err(Error::internal(format!("it opened as {plain:?}"))))
}

fn same(what: &str, found: Option<Vec<u8>>, expected: Vec<u8>) -> Result<()> {
    if found.as_ref() == Some(&expected) { Ok(()) } else { Err(Error::internal(format!("{what}: {found:?}, expected {expected:?}"))) }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    hex.as_bytes().chunks(2).map(|pair| pair.iter().fold(0_u8, |byte, next| byte.wrapping_shl(4) | digit(next))).collect()
}

fn exactly<const N: usize>(hex: &str) -> Result<[u8; N]> {
    bytes(hex).try_into().map_err(|_| Error::internal("a vector is too short"))
}
