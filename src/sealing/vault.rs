//! Sealing and opening, for every slice that keeps secrets: `app.seal(...)` and `app.open_sealed(...)`.

use super::scope::Scope;
use super::store::StoredKey;
use super::text::{SealedText, context};
use super::{masters, store};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{SealingKeyId, secret_bytes};
use crate::kernel::ports::{App, Lock};

/// The name under which a sealing key itself is sealed.
const SEALING_KEY: &str = "sealing_keys.wrapped";

impl App {
    /// The text to store instead of `secret`. `name` says where it stands, such as `totp_seeds.seed/user_...`; it opens under the same
    /// scope and name only.
    pub async fn seal(&self, scope: Scope, name: &str, secret: &[u8]) -> Result<String> {
        let stored = match store::find(self, scope).await? {
            Some(stored) => stored,
            None => store::insert_first(self, scope, &new_key(self, scope).await?).await?,
        };
        let key = unwrap(self, scope, &stored).await?;
        seal_under(self, &key, &stored.id.to_string(), &scope.text(), name, secret).await
    }

    /// The secret that was sealed for this scope under this name. A text that does not open was damaged or moved, or its key is gone:
    /// an internal error or an attack, never the client's fault.
    pub async fn open_sealed(&self, scope: Scope, name: &str, sealed: &str) -> Result<Vec<u8>> {
        let closed = || Error::internal(format!("{name} of {} does not open", scope.text()));
        let sealed = SealedText::parse(sealed).ok_or_else(closed)?;
        let stored = store::find(self, scope).await?.filter(|stored| stored.id.to_string() == sealed.key).ok_or_else(closed)?;
        let key = unwrap(self, scope, &stored).await?;
        open_under(self, &key, &scope.text(), name, &sealed).await?.ok_or_else(closed)
    }
}

async fn new_key(app: &App, scope: Scope) -> Result<StoredKey> {
    let moment = app.moment();
    let key = secret_bytes(moment.entropy)?;
    let (master, wrapped) = wrap(app, &scope.text(), &key).await?;
    Ok(StoredKey { id: SealingKeyId::new(moment), scope: scope.text(), master, wrapped, created_at: moment.now })
}

/// A sealing key sealed under the newest master key, and that key's id.
pub(super) async fn wrap(app: &App, scope: &str, key: &[u8; 32]) -> Result<(String, String)> {
    let master = masters::current(&app.settings)?;
    let wrapped = seal_under(app, &master.key, &master.id, scope, SEALING_KEY, key).await?;
    Ok((master.id, wrapped))
}

async fn unwrap(app: &App, scope: Scope, stored: &StoredKey) -> Result<[u8; 32]> {
    if stored.scope != scope.text() {
        return Err(Error::internal("a sealing key was read for another scope"));
    }
    unwrap_stored(app, stored).await
}

pub(super) async fn unwrap_stored(app: &App, stored: &StoredKey) -> Result<[u8; 32]> {
    let closed = || Error::internal(format!("the sealing key {} does not open", stored.id));
    let wrapped = SealedText::parse(&stored.wrapped).ok_or_else(closed)?;
    let master = masters::find(&app.settings, &wrapped.key)?;
    let key = open_under(app, &master.key, &stored.scope, SEALING_KEY, &wrapped).await?.ok_or_else(closed)?;
    key.try_into().map_err(|_| closed())
}

async fn seal_under(app: &App, key: &[u8; 32], id: &str, scope: &str, name: &str, secret: &[u8]) -> Result<String> {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(secret_bytes(app.moment().entropy)?) {
        *to = from;
    }
    let lock = Lock { key, nonce: &nonce, context: &context(id, scope, name) };
    let sealed = app.sealing.encrypt(lock, secret).await?;
    Ok(SealedText { key: id.to_owned(), nonce, sealed }.to_string())
}

async fn open_under(app: &App, key: &[u8; 32], scope: &str, name: &str, text: &SealedText) -> Result<Option<Vec<u8>>> {
    let lock = Lock { key, nonce: &text.nonce, context: &context(&text.key, scope, name) };
    app.sealing.decrypt(lock, &text.sealed).await
}
