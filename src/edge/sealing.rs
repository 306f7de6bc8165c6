//! AES-256-GCM by the runtime's WebCrypto: its code is constant-time, and ours stays small.

use futures::future::BoxFuture;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::send::SendFuture;

use crate::kernel::error::{Error, Result};
use crate::kernel::ports::{Lock, Sealing};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> std::result::Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn encrypt(algorithm: &Object, key: &JsValue, data: &Uint8Array) -> std::result::Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn decrypt(algorithm: &Object, key: &JsValue, data: &Uint8Array) -> std::result::Result<js_sys::Promise, JsValue>;
}

pub struct SubtleCrypto;

impl Sealing for SubtleCrypto {
    fn encrypt<'a>(&'a self, lock: Lock<'a>, plain: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(SendFuture::new(async move {
            let (algorithm, key) = prepared(lock, "encrypt").await.map_err(failed)?;
            let sealed = encrypt(&algorithm, &key, &Uint8Array::from(plain)).map_err(failed)?;
            Ok(bytes(&JsFuture::from(sealed).await.map_err(failed)?))
        }))
    }

    fn decrypt<'a>(&'a self, lock: Lock<'a>, sealed: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        Box::pin(SendFuture::new(async move {
            let (algorithm, key) = prepared(lock, "decrypt").await.map_err(failed)?;
            let opened = decrypt(&algorithm, &key, &Uint8Array::from(sealed)).map_err(failed)?;
            // The runtime reports an authentication failure without details.
            Ok(JsFuture::from(opened).await.ok().map(|plain| bytes(&plain)))
        }))
    }
}

/// The algorithm with its parameters, and the key for one use.
async fn prepared(lock: Lock<'_>, usage: &str) -> std::result::Result<(Object, JsValue), JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&algorithm, &"iv".into(), &Uint8Array::from(lock.nonce.as_slice()))?;
    Reflect::set(&algorithm, &"additionalData".into(), &Uint8Array::from(lock.context))?;
    let usages = Array::of1(&usage.into());
    let key = import_key("raw", &Uint8Array::from(lock.key.as_slice()), "AES-GCM", false, &usages)?;
    Ok((algorithm, JsFuture::from(key).await?))
}

fn bytes(buffer: &JsValue) -> Vec<u8> {
    Uint8Array::new(buffer.unchecked_ref()).to_vec()
}

fn failed(error: JsValue) -> Error {
    Error::internal(format!("the runtime's cryptography failed: {error:?}"))
}
