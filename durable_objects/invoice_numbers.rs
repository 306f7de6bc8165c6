//! Numbers of one series, such as the invoices of a seller or its credit notes: 1, 2, 3, ... without a gap, because tax
//! offices require it.
//!
//! Owns: which document has which number. Does not own: how a number is written on an invoice, or when an invoice becomes final.
//! Invariants: a number is given once and never taken back; the same invoice always gets the same number, so a repeated request is
//! harmless.
//! One statement gives a number, so there is no moment at which half of it is done.

use crate::kernel::sql::{LocalSql, SqlError};

pub struct InvoiceNumbersLedger<S> {
    sql: S,
    has_table: bool,
}

impl<S: LocalSql> InvoiceNumbersLedger<S> {
    pub fn new(sql: S) -> Self {
        Self { sql, has_table: false }
    }

    /// The number of this invoice: the next one when it has none yet.
    pub fn number(&mut self, invoice_id: &str) -> Result<u64, SqlError> {
        if !self.has_table {
            self.sql.run("CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, invoice TEXT NOT NULL UNIQUE)", &[])?;
            self.has_table = true;
        }
        let give = "INSERT INTO numbers (number, invoice)
                    SELECT COALESCE(MAX(number), 0) + 1, ?1
                    FROM numbers
                    WHERE true
                    ON CONFLICT (invoice) DO NOTHING";
        self.sql.run(give, &[invoice_id.into()])?;
        let rows = self.sql.run("SELECT number FROM numbers WHERE invoice = ?1", &[invoice_id.into()])?;
        let number = rows.first().and_then(|row| row.get("number")).and_then(serde_json::Value::as_u64);
        number.ok_or_else(|| SqlError::Broken("an invoice has no number although it was just given one".to_owned()))
    }
}

#[cfg(target_arch = "wasm32")]
mod object {
    use std::cell::RefCell;

    use wasm_bindgen::JsCast;
    use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

    use super::super::storage::{ObjectSql, ObjectStorage};
    use super::InvoiceNumbersLedger;

    /// `POST /number` with an invoice id as the body; the number is the answer's body.
    #[durable_object(fetch)]
    pub struct InvoiceNumbers {
        ledger: RefCell<InvoiceNumbersLedger<ObjectSql>>,
    }

    /// Longer texts are no ids of ours.
    const ID_BYTES_MAX: usize = 64;

    impl DurableObject for InvoiceNumbers {
        fn new(state: State, _env: Env) -> Self {
            let raw = state.storage();
            let storage: &ObjectStorage = raw.as_raw().unchecked_ref();
            Self { ledger: RefCell::new(InvoiceNumbersLedger::new(ObjectSql::new(storage))) }
        }

        async fn fetch(&self, mut request: Request) -> Result<Response> {
            if request.method() != Method::Post || request.path() != "/number" {
                return Response::error("POST /number is all there is", 404);
            }
            let invoice_id = request.text().await?;
            if invoice_id.is_empty() || invoice_id.len() > ID_BYTES_MAX {
                return Response::error("send an invoice id", 400);
            }
            // No await from here on: the borrow is over before anybody else runs.
            let number = self.ledger.try_borrow_mut().map(|mut ledger| ledger.number(&invoice_id));
            match number {
                Ok(Ok(number)) => Response::ok(number.to_string()),
                Ok(Err(error)) => {
                    worker::console_error!("invoice number: {error:?}");
                    Response::error("the number could not be given", 500)
                }
                Err(_) => Response::error("the ledger is in use", 503),
            }
        }
    }
}
