//! The validity of searches.

use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Characters of a search text at most.
const TEXT_LENGTH_MAX: usize = 255;

/// A search as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// A valid search. None matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub actor: Option<String>,
    pub target: Option<String>,
    /// `apiKey` of `apiKey.created` and of `apiKey.*`.
    pub resource: Option<String>,
    pub action: Option<String>,
    pub range: Range,
}

/// The time from one instant up to, and without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Range {
    /// The whole log where neither bound is given.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Self, Problem> {
        let from = from.unwrap_or(Timestamp::from_millis(0));
        let to = to.unwrap_or(Timestamp::LATEST);
        if from < to { Ok(Self { from, to }) } else { Err(Problem::invalid_range()) }
    }
}

impl Sought {
    pub fn check(self) -> Result<Search, Problem> {
        for (text, name) in [(&self.actor, "actor"), (&self.action, "action"), (&self.target, "target")] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > TEXT_LENGTH_MAX) {
                let detail = format!("Send 1 to {TEXT_LENGTH_MAX} characters, or omit the parameter.");
                return Err(Problem::invalid(name, "invalid_value", detail));
            }
        }
        let range = Range::new(self.from, self.to)?;
        let (resource, action) = self.action.map(read_action).transpose()?.unzip();
        Ok(Search { actor: self.actor, target: self.target, resource, action: action.flatten(), range })
    }
}

/// `resource.verb` or `resource.*`.
fn read_action(text: String) -> Result<(String, Option<String>), Problem> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match text.split_once('.') {
        Some((resource, "*")) if is_word(resource) => Ok((resource.to_owned(), None)),
        Some((resource, verb)) if is_word(resource) && is_word(verb) => Ok((resource.to_owned(), Some(text))),
        _ => {
            let detail = "Send an action such as apiKey.created, or apiKey.* for all actions of a resource.";
            Err(Problem::invalid("action", "invalid_action", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(text: &str) -> Result<(Option<String>, Option<String>), String> {
        let sought = Sought { action: Some(text.into()), ..Sought::default() };
        sought.check().map(|search| (search.resource, search.action)).map_err(|problem| problem.errors[0].code.to_owned())
    }

    #[test]
    fn an_action_is_one_or_all_of_a_resource() {
        assert_eq!(action("apiKey.created"), Ok((Some("apiKey".into()), Some("apiKey.created".into()))));
        assert_eq!(action("apiKey.*"), Ok((Some("apiKey".into()), None)));
        for text in ["apiKey", "*", ".*", "apiKey.", ".created", "apiKey.**", "api key.*", "a.b.c", "' OR 1=1.*"] {
            assert_eq!(action(text), Err("invalid_action".into()), "{text}");
        }
        assert_eq!(action(""), Err("invalid_value".into()));
    }

    #[test]
    fn a_range_has_a_length() {
        let at = |millis| Some(Timestamp::from_millis(millis));
        assert!(Range::new(at(1), at(2)).is_ok() && Range::new(None, None).is_ok() && Range::new(at(1), None).is_ok());
        assert!(Range::new(at(2), at(2)).is_err() && Range::new(at(3), at(2)).is_err() && Range::new(None, at(0)).is_err());
    }
}
