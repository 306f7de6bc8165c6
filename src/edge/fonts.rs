//! The fonts of printed invoices: static files, read when a document needs them.

use std::sync::Arc;

use futures::future::BoxFuture;
use worker::Env;
use worker::send::SendFuture;

use super::failure::unavailable;
use crate::kernel::error::{Error, Result};
use crate::kernel::ports::Fonts;

pub struct StaticFonts(pub Env);

impl Fonts for StaticFonts {
    fn load<'a>(&'a self, file: &'a str) -> BoxFuture<'a, Result<Arc<[u8]>>> {
        Box::pin(SendFuture::new(async move {
            let assets = self.0.assets("ASSETS").map_err(|error| Error::internal(format!("the binding ASSETS is missing: {error}")))?;
            let answer = assets.fetch(format!("https://assets/fonts/{file}"), None).await;
            let mut answer = answer.map_err(|error| unavailable("the static files", &error))?;
            if answer.status_code() != 200 {
                return Err(Error::internal(format!("the font {file} is not among the static files: build again")));
            }
            Ok(answer.bytes().await.map_err(|error| unavailable("the static files", &error))?.into())
        }))
    }
}
