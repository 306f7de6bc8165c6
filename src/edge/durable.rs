//! The Durable Objects as ports: Meters are called by RPC on the shell's class, invoice numbers by `fetch`.

use futures::future::BoxFuture;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::send::SendFuture;
use worker::{Env, Method, ObjectNamespace, Request, RequestInit};

use super::failure::unavailable;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::ports::{InvoiceNumbers, Meters};

#[wasm_bindgen]
extern "C" {
    /// The RPC methods of the class `Meter` in `meter.mjs`.
    #[wasm_bindgen(extends = js_sys::Object)]
    type MeterStub;
    #[wasm_bindgen(method, catch)]
    fn call(this: &MeterStub, text: &str) -> std::result::Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn serve(this: &MeterStub, text: &str) -> std::result::Result<js_sys::Promise, JsValue>;
}

pub struct MeterObjects(ObjectNamespace);

impl MeterObjects {
    pub fn bind(env: &Env) -> Result<Self> {
        env.durable_object("METER").map(Self).map_err(|error| Error::internal(format!("the binding METER is missing: {error}")))
    }

    fn stub(&self, organization: OrganizationId) -> Result<MeterStub> {
        let stub = self.0.get_by_name(&organization.to_string()).map_err(|error| unavailable("the Meter", &error))?;
        Ok(stub.into_rpc::<MeterStub>())
    }
}

impl Meters for MeterObjects {
    fn call(&self, organization: OrganizationId, call: String) -> BoxFuture<'_, Result<String>> {
        Box::pin(SendFuture::new(async move { text(self.stub(organization)?.call(&call)).await }))
    }

    fn serve(&self, organization: OrganizationId, request: String) -> BoxFuture<'_, Result<String>> {
        Box::pin(SendFuture::new(async move { text(self.stub(organization)?.serve(&request)).await }))
    }
}

/// Waits for an RPC call that returns text.
async fn text(called: std::result::Result<js_sys::Promise, JsValue>) -> Result<String> {
    let failed = |error: JsValue| Error::Unavailable(format!("the Meter: {error:?}"));
    let value = JsFuture::from(called.map_err(failed)?).await.map_err(failed)?;
    value.as_string().ok_or_else(|| Error::internal("the Meter returned no text"))
}

pub struct InvoiceNumberObjects(ObjectNamespace);

impl InvoiceNumberObjects {
    pub fn bind(env: &Env) -> Result<Self> {
        env.durable_object("INVOICE_NUMBERS")
            .map(Self)
            .map_err(|error| Error::internal(format!("the binding INVOICE_NUMBERS is missing: {error}")))
    }

    async fn ask(&self, series: &str, document: &str) -> worker::Result<String> {
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(JsValue::from_str(document)));
        let request = Request::new_with_init("https://invoice-numbers/number", &init)?;
        self.0.get_by_name(series)?.fetch_with_request(request).await?.text().await
    }
}

impl InvoiceNumbers for InvoiceNumberObjects {
    fn number<'a>(&'a self, series: &'static str, document: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(SendFuture::new(async move {
            let text = self.ask(series, document).await.map_err(|error| unavailable("the invoice numbers", &error))?;
            text.trim().parse().map_err(|_| Error::Unavailable(format!("the invoice numbers answered {text}")))
        }))
    }
}
