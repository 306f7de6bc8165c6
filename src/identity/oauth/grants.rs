//! How the token endpoint reads a request and refuses one: a form in, a grant or an OAuth error out.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Encoding};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::wire::OauthError;
use crate::http::refusal::Cause;
use crate::http::request::{content_type, text_header};
use crate::kernel::error::Error;

pub const FORM: &str = "application/x-www-form-urlencoded";

/// A well-formed request; its secret is not checked yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    pub client: String,
    pub secret: String,
    pub scopes: Vec<String>,
    /// The API that the token is for; this one when absent.
    pub resource: Option<String>,
}

/// An OAuth error as a response.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    body: OauthError,
    headers: Vec<(&'static str, String)>,
    /// The internal error, for the log.
    cause: Option<Cause>,
}

impl Refusal {
    pub fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, body: OauthError { error, error_description: description.into() }, headers: Vec::new(), cause: None }
    }

    fn malformed(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The same for unknown, forged, replaced and deleted ones, so that the answer does not reveal which it was.
    pub fn client() -> Self {
        let refusal = Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The client or its secret is unknown. Send the client_id and its current secret.",
        );
        Self { headers: vec![("WWW-Authenticate", "Basic realm=\"tenantry\"".to_owned())], ..refusal }
    }

    pub fn scope() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "The client lacks one of these scopes. Request scopes that the client has, or omit scope for all of them.",
        )
    }
}

/// Refuses a token for another API (RFC 8707): its `aud` is always this one.
pub fn check_resource(resource: Option<&str>, issuer: &str) -> Result<(), Refusal> {
    if resource.is_none_or(|resource| resource.trim_end_matches('/') == issuer) {
        return Ok(());
    }
    let description = format!("Tokens open one API only. Send resource={issuer}, or omit resource.");
    Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid_target", description))
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let cause = Some(Cause(error.clone()));
        let problem = error.into_problem();
        let name = if matches!(problem.status, 429 | 503) { "temporarily_unavailable" } else { "server_error" };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { headers: problem.headers, cause, ..Self::new(status, name, problem.detail) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.body).unwrap_or_default();
        let mut response = answer(self.status, body);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A response that must not be cached.
pub fn answer(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads a request for a token.
pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Refusal> {
    let media = content_type(headers);
    if !media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(FORM)) {
        return Err(Refusal::malformed("The content type is not accepted. Send the parameters as application/x-www-form-urlencoded."));
    }
    let form = Form::read(body)?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "This grant type is not supported. Send grant_type=client_credentials.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description));
        }
        None => return Err(Refusal::malformed("The grant type is missing. Send grant_type=client_credentials.")),
    }
    let (client, secret) = credentials(headers, &form)?;
    let scopes = form.get("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    Ok(Asked { client, secret, scopes, resource: form.get("resource").map(str::to_owned) })
}

/// By HTTP Basic authentication or in the form, never both.
fn credentials(headers: &HeaderMap, form: &Form) -> Result<(String, String), Refusal> {
    let in_form = (form.get("client_id"), form.get("client_secret"));
    if text_header(headers, "authorization").is_empty() {
        return match in_form {
            (Some(client), Some(secret)) => Ok((client.to_owned(), secret.to_owned())),
            _ => Err(Refusal::client()),
        };
    }
    let (client, secret) = basic(&text_header(headers, "authorization")).ok_or_else(Refusal::client)?;
    match in_form {
        (_, Some(_)) => {
            Err(Refusal::malformed("The secret was sent twice. Send it by HTTP Basic authentication or in the form, not both."))
        }
        (Some(other), None) if other != client => {
            Err(Refusal::malformed("The form and the Authorization header name different clients. Send one client."))
        }
        _ => Ok((client, secret)),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let decoded = String::from_utf8(Base64::decode_vec(encoded.trim()).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    is_basic.then(|| (form_decoded(client), form_decoded(secret)))
}

/// Libraries encode both halves like the values of a form (RFC 6749, 2.3.1), so `_` may be `%5F`. Ours are the same when not encoded.
fn form_decoded(text: &str) -> String {
    form_urlencoded::parse(format!("={text}").as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The parameters; one without a value counts as absent, and none may be sent twice (RFC 6749, 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if read.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::malformed("A parameter was sent twice. Send each once."));
            }
            read.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(read))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}
