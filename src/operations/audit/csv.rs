//! The audit log as CSV (RFC 4180), for spreadsheets, which evaluate no field as a formula.

use serde_json::Value;

use super::wire::EntryView;

pub const HEADER: &str = "sequence,id,at,actorKind,actorId,actorSession,onBehalfOfKind,onBehalfOfId,action,targetType,targetId,\
    before,after,events,requestId,address,userAgent,hash\r\n";

/// One entry as a line.
pub fn line(entry: &EntryView) -> String {
    let behalf = entry.on_behalf_of.as_ref();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let fields = [
        entry.sequence.to_string(),
        entry.id.clone(),
        entry.at.to_string(),
        entry.actor.kind.clone(),
        text(&entry.actor.id),
        text(&entry.actor.session),
        behalf.map(|behalf| behalf.kind.clone()).unwrap_or_default(),
        behalf.map(|behalf| behalf.id.clone()).unwrap_or_default(),
        entry.action.clone(),
        entry.target.type_name.clone(),
        entry.target.id.clone(),
        json(&entry.before),
        json(&entry.after),
        entry.events.join(" "),
        text(&entry.request_id),
        text(&entry.address),
        text(&entry.user_agent),
        entry.hash.clone(),
    ];
    fields.iter().map(|text| field(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// Quotes the field where needed. An apostrophe before a formula makes a spreadsheet show it as text.
fn field(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        let check = |text: &str, expected: &str| assert_eq!(field(text), expected);
        check("plain", "plain");
        check("", "");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\r\nlines", "\"two\r\nlines\"");
        check("=1+1", "'=1+1");
        check("+49 1", "'+49 1");
        check("-1", "'-1");
        check("@SUM(A1,\"x\")", "\"'@SUM(A1,\"\"x\"\")\"");
        check("\t=1", "'\t=1");
    }

    /// The fields of one record, as RFC 4180 reads it.
    fn read(line: &str) -> Vec<String> {
        let (mut fields, mut is_quoted, mut letters) = (vec![String::new()], false, line.trim_end_matches("\r\n").chars().peekable());
        while let Some(letter) = letters.next() {
            let field = fields.last_mut().unwrap();
            match letter {
                '"' if is_quoted && letters.peek() == Some(&'"') => field.push(letters.next().unwrap()),
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                other => field.push(other),
            }
        }
        fields
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(texts in prop::collection::vec("[=+@,\"\r\n\ta-z'-]{0,12}", 1..6)) {
            let line = texts.iter().map(|text| field(text)).collect::<Vec<_>>().join(",") + "\r\n";
            let read = read(&line);
            prop_assert_eq!(read.len(), texts.len());
            for (read, text) in read.iter().zip(&texts) {
                prop_assert!(!read.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", read);
                prop_assert_eq!(read.strip_prefix('\'').filter(|_| !text.starts_with('\'')).unwrap_or(read), text);
            }
        }
    }
}
