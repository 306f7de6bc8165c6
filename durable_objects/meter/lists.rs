//! Lists as parameters: many keys or rows cross to SQLite as one JSON text, in pieces well below the 2 MB that a value may have.

/// Bytes at which a piece is full.
const PIECE_BYTES_MAX: usize = 512 * 1024;

/// Members of a JSON array, written one after the other.
#[derive(Default)]
pub(super) struct List(String);

impl List {
    /// A text of the array.
    pub fn push_text(&mut self, text: &str) {
        self.separate();
        push_text(&mut self.0, text);
    }

    /// A member that is JSON already.
    pub fn push_json(&mut self, json: &str) {
        self.separate();
        self.0.push_str(json);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.0.len() > PIECE_BYTES_MAX
    }

    /// The array, and an empty list again.
    pub fn take(&mut self) -> String {
        let mut array = std::mem::take(&mut self.0);
        array.insert(0, '[');
        array.push(']');
        array
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
    }
}

/// Cuts what `texts` gives into arrays and hands each to `run`.
pub(super) fn in_pieces<'a, E>(texts: impl IntoIterator<Item = &'a str>, mut run: impl FnMut(String) -> Result<(), E>) -> Result<(), E> {
    let mut list = List::default();
    for text in texts {
        if list.is_full() {
            run(list.take())?;
        }
        list.push_text(text);
    }
    if list.is_empty() { Ok(()) } else { run(list.take()) }
}

/// A text as JSON writes it. Most need no escapes, and then nothing is copied twice.
pub(super) fn push_text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // Writing a text as JSON cannot fail.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}
