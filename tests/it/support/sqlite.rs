//! D1's twin: SQLite in memory with the real migrations. A batch is one transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Poll;

use futures::future::BoxFuture;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, StatementStatus, ToSql};
use tenantry::kernel::sql::{INTEGER_MAX, Outcome, Row, Sql, SqlError, Statement, Value};

use super::lines::Lines;

/// More than the product has, so that a test prepares each once.
pub const STATEMENTS_MAX: usize = 1_000;

/// Migrated once a process, and copied page by page from then on.
static TEMPLATES: LazyLock<Mutex<BTreeMap<&'static str, Connection>>> = LazyLock::new(Mutex::default);

pub struct Sqlite {
    connection: Mutex<Connection>,
    /// Batches that are let through, then batches that fail before they do anything, for tests of interrupted work.
    outage: Mutex<(u32, u32)>,
    /// Batches until one whose answer is lost although it took effect; 0 when there is none.
    lost_answer: AtomicU32,
    /// Batches that came so far, whether or not they took effect.
    batches: AtomicU32,
    /// Batches that took effect, whether or not their answer was lost.
    answers: AtomicU32,
    /// Batches that failed or lost their answer because a test wanted it.
    faults: AtomicU32,
    /// The batches and the answers before the last of them.
    before_fault: Mutex<(u32, u32)>,
    /// What happens before each batch, for tests of what others do in between. Not called for what it does itself.
    before_each: Mutex<Option<Box<dyn FnMut() + Send>>>,
    /// Lets the others go first before each batch, for tests of commits in between.
    yields: AtomicBool,
    lines: Lines,
    /// What SQLite's machine did so far: a measure of work that is the same on every computer.
    pub work: Work,
}

#[derive(Default)]
pub struct Work {
    steps: AtomicI64,
    full_scan_steps: AtomicI64,
}

impl Work {
    /// All steps, and those from one row to the next without an index, since the last time.
    pub fn take(&self) -> (i64, i64) {
        (self.steps.swap(0, Ordering::Relaxed), self.full_scan_steps.swap(0, Ordering::Relaxed))
    }

    fn add(&self, statement: &rusqlite::Statement<'_>) {
        self.steps.fetch_add(statement.reset_status(StatementStatus::VmStep).into(), Ordering::Relaxed);
        self.full_scan_steps.fetch_add(statement.reset_status(StatementStatus::FullscanStep).into(), Ordering::Relaxed);
    }
}

fn migrate(folder: &str) -> Connection {
    let connection = in_memory();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        connection.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
    connection
}

/// Page by page.
pub fn copy_rows(from: &Connection, to: &mut Connection) {
    let copied = Backup::new(from, to).unwrap().step(-1).unwrap();
    assert_eq!(copied, StepResult::Done, "nobody else uses the two databases");
}

fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens in memory");
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Integer(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

impl Sqlite {
    /// An empty database with the migrations of `folder`.
    pub fn migrated(folder: &'static str) -> Self {
        let mut templates = TEMPLATES.lock().unwrap();
        Self::copied(templates.entry(folder).or_insert_with(|| migrate(folder)))
    }

    /// The same rows, and nothing of what a test wanted to fail or to happen.
    pub fn copy(&self) -> Self {
        Self::copied(&self.connection.lock().unwrap())
    }

    fn copied(template: &Connection) -> Self {
        let mut connection = in_memory();
        copy_rows(template, &mut connection);
        Self {
            connection: Mutex::new(connection),
            outage: Mutex::new((0, 0)),
            lost_answer: AtomicU32::new(0),
            batches: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            faults: AtomicU32::new(0),
            before_fault: Mutex::new((0, 0)),
            yields: AtomicBool::new(false),
            work: Work::default(),
            before_each: Mutex::new(None),
            lines: Lines::default(),
        }
    }

    /// All rows, without how often a public endpoint was asked and when something was used: refusals are counted, too.
    pub fn lines(&self) -> Arc<Vec<String>> {
        self.lines.of(&self.connection.lock().unwrap(), "throttles")
    }

    /// Lets the next `count` batches fail as if the database were away.
    pub fn fail(&self, count: u32) {
        self.fail_after(0, count);
    }

    /// The same after `passing` more batches.
    pub fn fail_after(&self, passing: u32, count: u32) {
        *self.outage.lock().unwrap() = (passing, count);
    }

    /// Lets something happen before each batch from now on.
    pub fn before_each(&self, happening: impl FnMut() + Send + 'static) {
        *self.before_each.lock().unwrap() = Some(Box::new(happening));
    }

    pub fn undisturbed(&self) {
        *self.before_each.lock().unwrap() = None;
    }

    /// From now on, what runs at the same time takes turns, batch by batch.
    pub fn interleave(&self) {
        self.yields.store(true, Ordering::Relaxed);
    }

    /// Lets the answer of the n-th batch from now on be lost: it takes effect, and who sent it does not learn that.
    pub fn lose_answer(&self, nth: u32) {
        self.lost_answer.store(nth, Ordering::Relaxed);
    }

    /// How many batches came since the last time.
    pub fn take_batches(&self) -> u32 {
        self.batches.swap(0, Ordering::Relaxed)
    }

    /// How many batches failed or lost their answer because a test wanted it, since the last time.
    pub fn take_faults(&self) -> u32 {
        self.faults.swap(0, Ordering::Relaxed)
    }

    /// Batches that came and batches that took effect so far, and both before the last fault.
    pub fn course(&self) -> Course {
        let (calls_before, answers_before) = *self.before_fault.lock().unwrap();
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        Course { calls: count(&self.batches), answers: count(&self.answers), calls_before, answers_before }
    }

    /// Runs SQL as somebody would who has the database in hand.
    pub fn meddle(&self, text: &str) -> Result<(), SqlError> {
        self.connection.lock().unwrap().execute_batch(text).map_err(sorted)
    }

    fn note_fault(&self, calls: u32, answers: u32) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        *self.before_fault.lock().unwrap() = (calls, answers);
    }

    async fn take_turns(&self) {
        let mut has_yielded = !self.yields.load(Ordering::Relaxed);
        futures::future::poll_fn(|context| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn run(&self, statements: &[Statement]) -> Result<Vec<Outcome>, SqlError> {
        let calls = self.batches.fetch_add(1, Ordering::Relaxed);
        let happening = self.before_each.lock().unwrap().take();
        if let Some(mut happening) = happening {
            happening();
            *self.before_each.lock().unwrap() = Some(happening);
        }
        match &mut *self.outage.lock().unwrap() {
            (0, 0) => {}
            (0, failing) => {
                *failing -= 1;
                self.note_fault(calls, self.answers.load(Ordering::Relaxed));
                return Err(SqlError::Unavailable("Network connection lost (by the test)".into()));
            }
            (passing, _) => *passing -= 1,
        }
        let mut connection = self.connection.lock().unwrap();
        let transaction = connection.transaction().map_err(sorted)?;
        let outcomes = statements.iter().map(|statement| execute(&transaction, statement, &self.work)).collect::<Result<Vec<_>, _>>()?;
        transaction.commit().map_err(sorted)?;
        let answers = self.answers.fetch_add(1, Ordering::Relaxed);
        let until_lost = self.lost_answer.load(Ordering::Relaxed);
        self.lost_answer.store(until_lost.saturating_sub(1), Ordering::Relaxed);
        if until_lost == 1 {
            self.note_fault(calls, answers);
            return Err(SqlError::Unavailable("Network connection lost (by the test, after the commit)".into()));
        }
        Ok(outcomes)
    }
}

/// How far a database came.
pub struct Course {
    pub calls: u32,
    pub answers: u32,
    /// Before the last fault.
    pub calls_before: u32,
    pub answers_before: u32,
}

fn execute(connection: &Connection, statement: &Statement, work: &Work) -> Result<Outcome, SqlError> {
    let too_large = |value: &&Value| matches!(value, Value::Integer(number) if number.unsigned_abs() > INTEGER_MAX.unsigned_abs());
    if let Some(value) = statement.params.iter().find(too_large) {
        return Err(SqlError::Broken(format!("{value:?} is too large")));
    }
    let mut prepared = connection.prepare_cached(statement.text).map_err(sorted)?;
    let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
    let params = rusqlite::params_from_iter(statement.params.iter().map(Bound));
    let rows = prepared
        .query_map(params, |row| {
            names
                .iter()
                .enumerate()
                .map(|(index, name)| Ok((name.clone(), to_json(row.get_ref(index)?))))
                .collect::<rusqlite::Result<Row>>()
        })
        .map_err(sorted)?
        .collect::<rusqlite::Result<Vec<Row>>>()
        .map_err(sorted)?;
    work.add(&prepared);
    Ok(Outcome { rows, changes: connection.changes() })
}

pub fn to_json(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => serde_json::Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}

pub fn sorted(error: rusqlite::Error) -> SqlError {
    SqlError::from_message(&error.to_string())
}

impl Sql for Sqlite {
    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Outcome>, SqlError>> {
        Box::pin(async move {
            self.take_turns().await;
            self.run(&statements)
        })
    }
}
