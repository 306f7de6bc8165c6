//! `/dev/inbox` and `/dev/emails`: the mails of the local mailer. They exist in development only, see `api::handle`.

use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use crate::http::reply::Reply;
use crate::http::request::{Filter, RequestContext};
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::mail::local;
use crate::kernel::mail::local::LocalMail;
use crate::kernel::platform::Platform;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    to: Option<String>,
}

/// `GET /dev/emails?to=`: a list.
pub async fn emails(context: RequestContext, Filter(query): Filter<Recipient>) -> Result<Reply> {
    Reply::ok(&mails(context, query.to.as_deref()).await?)
}

/// `GET /dev/inbox`: a page.
pub async fn inbox(context: RequestContext, Filter(query): Filter<Recipient>) -> Result<Response> {
    let mails = mails(context, query.to.as_deref()).await?;
    let mut environment = minijinja::Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let page = environment
        .render_named_str(
            "inbox.html",
            include_str!("inbox.html"),
            minijinja::context! { mails => minijinja::Value::from(minijinja::value::Serde(&mails)) },
        )
        .or_internal()?;
    Ok(Html(page).into_response())
}

async fn mails(context: RequestContext, to: Option<&str>) -> Result<Vec<LocalMail>> {
    local::list(&Platform::open(context.app), to).await
}
