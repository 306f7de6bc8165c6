//! Which file imports which, read from the source: `use` lines and paths in the code. A file is imported by whoever names its module or
//! something in it; `mod x;` is no import, a re-export is one. Comments and what is compiled for tests only don't count.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::Arrows;
use super::source::File;
use super::tokens::{Token, is_test_only, product_tokens};

/// A path of the code, whole: `use a::{b, c as d};` has two.
#[derive(Debug, PartialEq)]
pub struct Path {
    /// The module that it stands in.
    pub place: String,
    pub segments: Vec<String>,
    /// What a `use` line calls it.
    pub alias: Option<String>,
}

/// The modules of a crate and the files that they are in; the root is "".
struct Modules {
    files: BTreeMap<String, String>,
    /// Macros that stand in the root, wherever they are written.
    macros: BTreeMap<String, String>,
}

/// For each file the files that it imports.
pub fn imports(files: &[File]) -> Arrows {
    let read: Vec<(&File, Vec<Token>)> = product_files(files);
    let modules = Modules::of(&read);
    let arrows = read.iter().map(|(file, tokens)| {
        let paths = paths(&module(&file.path), tokens);
        let aliases = modules.aliases(&paths);
        let found = paths.iter().filter_map(|path| modules.file(path, &aliases)).filter(|found| **found != file.path);
        (file.path.clone(), found.cloned().collect())
    });
    arrows.collect()
}

/// The paths that a file names, as they are written.
pub fn named(file: &File) -> BTreeSet<String> {
    paths(&module(&file.path), &product_tokens(&file.text).0).into_iter().map(|path| path.segments.join("::")).collect()
}

/// `src/kernel/time.rs` is `kernel::time`, and `src/kernel/mod.rs` is `kernel`.
pub fn module(path: &str) -> String {
    let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let name = inner.strip_suffix("/mod").unwrap_or(inner);
    if name == "lib" { String::new() } else { name.replace('/', "::") }
}

/// The files that are compiled for others than tests, with their tokens.
fn product_files(files: &[File]) -> Vec<(&File, Vec<Token>)> {
    let mut read = Vec::new();
    let mut for_tests = BTreeSet::new();
    for file in files.iter().filter(|file| !is_test_only(&file.text)) {
        let (tokens, test_modules) = product_tokens(&file.text);
        for_tests.extend(test_modules.iter().map(|name| join(&module(&file.path), name)));
        read.push((file, tokens));
    }
    let is_for_tests = |path: &str| for_tests.iter().any(|tests| module(path) == *tests || module(path).starts_with(&format!("{tests}::")));
    read.retain(|(file, _)| !is_for_tests(&file.path));
    read
}

impl Modules {
    fn of(read: &[(&File, Vec<Token>)]) -> Self {
        let mut modules = Self { files: BTreeMap::new(), macros: BTreeMap::new() };
        for (file, tokens) in read {
            let name = module(&file.path);
            modules.files.insert(name.clone(), file.path.clone());
            for inner in Places::new(&name, tokens).filter_map(|(_, _, begun)| begun) {
                modules.files.insert(inner, file.path.clone());
            }
            modules.macros.extend(exported_macros(tokens).into_iter().map(|name| (name, file.path.clone())));
        }
        modules
    }

    /// What `use` lines call modules.
    fn aliases(&self, paths: &[Path]) -> BTreeMap<String, String> {
        let imported = paths.iter().filter_map(|path| {
            let (module, rest) = self.walk(path, &BTreeMap::new())?;
            let name = path.alias.clone().filter(|_| rest.is_empty())?;
            Some((name, module))
        });
        imported.collect()
    }

    fn file(&self, path: &Path, aliases: &BTreeMap<String, String>) -> Option<&String> {
        let (module, rest) = self.walk(path, aliases)?;
        let of_macro = rest.first().filter(|_| module.is_empty()).and_then(|name| self.macros.get(name));
        of_macro.or_else(|| self.files.get(&module))
    }

    /// The innermost module on the path, and what is left of it.
    fn walk<'a>(&self, path: &'a Path, aliases: &BTreeMap<String, String>) -> Option<(String, &'a [String])> {
        let (first, rest) = path.segments.split_first()?;
        let beside = join(&path.place, first);
        let mut module = match first.as_str() {
            "crate" => String::new(),
            "self" => path.place.clone(),
            "super" => parent(&path.place),
            _ if self.files.contains_key(&beside) => beside,
            name => aliases.get(name)?.clone(),
        };
        for (index, segment) in rest.iter().enumerate() {
            let next = if segment == "super" { parent(&module) } else { join(&module, segment) };
            if segment != "super" && !self.files.contains_key(&next) {
                return Some((module, &rest[index..]));
            }
            module = next;
        }
        Some((module, &[]))
    }
}

/// Goes through tokens and says for each in which module it stands, and which one begins with it.
struct Places<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// The modules that are open here, each with the depth that it began at.
    open: Vec<(String, usize)>,
}

impl<'a> Places<'a> {
    fn new(module: &str, tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0, depth: 0, open: vec![(module.to_owned(), 0)] }
    }

    fn here(&self) -> String {
        self.open.last().map(|(module, _)| module.clone()).unwrap_or_default()
    }
}

impl Iterator for Places<'_> {
    type Item = (usize, String, Option<String>);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, mut begun) = (self.at, None);
        match self.tokens.get(at..)? {
            [] => return None,
            [Token::Word(keyword), Token::Word(name), Token::Sign('{'), ..] if keyword == "mod" => {
                begun = Some(join(&self.here(), name));
                self.open.extend(begun.clone().map(|module| (module, self.depth + 1)));
            }
            [Token::Sign('{'), ..] => self.depth += 1,
            [Token::Sign('}'), ..] => {
                let depth = self.depth;
                self.open.retain(|(_, began)| *began < depth || *began == 0);
                self.depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        self.at += 1;
        Some((at, self.here(), begun))
    }
}

/// All paths of two segments or more, and all that `use` lines name.
fn paths(module: &str, tokens: &[Token]) -> Vec<Path> {
    let (mut paths, mut skipped_until) = (Vec::new(), 0);
    for (at, place, _) in Places::new(module, tokens).collect::<Vec<_>>() {
        if at < skipped_until {
            continue;
        }
        match &tokens[at..] {
            [Token::Word(keyword), next, ..] if keyword == "use" && *next != Token::Sign('<') => {
                let mut reader = UseLine { tokens, at: at + 1, place: &place, found: &mut paths };
                reader.tree(&[]);
                skipped_until = reader.at;
            }
            [Token::Word(_), Token::Colons, ..] if at == 0 || !matches!(tokens[at - 1], Token::Colons | Token::Sign('.')) => {
                let segments = segments(&tokens[at..]);
                skipped_until = at + segments.len() * 2 - 1;
                paths.push(Path { place, segments, alias: None });
            }
            // Attributes name functions in texts.
            [Token::Text(text), ..] if is_path(text) => {
                paths.push(Path { place, segments: text.split("::").map(str::to_owned).collect(), alias: None });
            }
            _ => {}
        }
    }
    paths.retain(|path| path.segments.len() > 1 || path.alias.is_some());
    paths
}

/// Reads what stands between `use` and `;`.
struct UseLine<'a> {
    tokens: &'a [Token],
    at: usize,
    place: &'a str,
    found: &'a mut Vec<Path>,
}

impl UseLine<'_> {
    fn tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) if word != "as" => segments.push(word.clone()),
                Some(Token::Colons) => {}
                Some(Token::Sign('*')) => segments.push("*".to_owned()),
                Some(Token::Sign('{')) => return self.group(&segments),
                _ => break,
            }
            self.at += 1;
        }
        let named = match &self.tokens[self.at.min(self.tokens.len())..] {
            [Token::Word(word), Token::Word(name), ..] if word == "as" => {
                self.at += 2;
                Some(name.clone())
            }
            _ => None,
        };
        // `a::{self}` is `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let alias = named.or_else(|| segments.last().cloned());
        self.found.push(Path { place: self.place.to_owned(), segments, alias });
    }

    fn group(&mut self, before: &[String]) {
        loop {
            // Past the brace or the comma.
            self.at += 1;
            if !matches!(self.tokens.get(self.at), Some(Token::Sign('}'))) {
                self.tree(before);
            }
            if !matches!(self.tokens.get(self.at), Some(Token::Sign(','))) {
                self.at += 1;
                return;
            }
        }
    }
}

fn segments(tokens: &[Token]) -> Vec<String> {
    let mut segments = Vec::new();
    for pair in tokens.chunks(2) {
        let [Token::Word(word), rest @ ..] = pair else { break };
        segments.push(word.clone());
        if rest != [Token::Colons] {
            break;
        }
    }
    segments
}

/// `crate::a::b` and the like, and nothing else.
fn is_path(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    text.contains("::") && text.split("::").all(is_word)
}

fn exported_macros(tokens: &[Token]) -> Vec<String> {
    let mut is_exported = false;
    let mut names = Vec::new();
    for window in tokens.windows(3) {
        match window {
            [Token::Word(word), ..] if word == "macro_export" => is_exported = true,
            [Token::Word(word), Token::Sign('!'), Token::Word(name)] if word == "macro_rules" => {
                names.extend(std::mem::take(&mut is_exported).then(|| name.clone()));
            }
            _ => {}
        }
    }
    names
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn parent(module: &str) -> String {
    module.rsplit_once("::").map(|(parent, _)| parent.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files that `text`, as the module `a::one`, imports from a small crate.
    fn imported(text: &str) -> Vec<String> {
        let others = [
            ("src/lib.rs", "pub mod a; pub mod b;"),
            ("src/a/mod.rs", "pub mod one; mod two; pub use two::Two; pub struct A;"),
            ("src/a/two.rs", "pub struct Two; #[cfg(test)] mod checks;"),
            ("src/a/two/checks.rs", "use crate::b::B;"),
            ("src/b/mod.rs", "pub mod deep; #[macro_export] macro_rules! shout { () => {} } pub mod inner { pub struct C; }"),
            ("src/b/deep.rs", "pub fn dive() {}"),
        ];
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        let files: Vec<File> = others.iter().map(file).chain([file(&("src/a/one.rs", text))]).collect();
        imports(&files).remove("src/a/one.rs").into_iter().flatten().collect()
    }

    #[test]
    fn a_use_line_imports_the_file_of_the_last_module_that_it_names() {
        assert_eq!(imported("use crate::b::deep::dive;"), ["src/b/deep.rs"]);
        assert_eq!(imported("use crate::b::{self, deep::{dive as jump, Other}, B};"), ["src/b/deep.rs", "src/b/mod.rs"]);
        assert_eq!(imported("pub(crate) use crate::b::deep::*;"), ["src/b/deep.rs"]);
        assert_eq!(imported("use crate::b::inner::C;"), ["src/b/mod.rs"]);
        assert_eq!(imported("use std::collections::BTreeMap; use serde::{Serialize, de::Error};"), [""; 0]);
    }

    #[test]
    fn super_and_self_lead_to_the_files_around() {
        assert_eq!(imported("use super::two::Two;"), ["src/a/two.rs"]);
        assert_eq!(imported("use super::A;"), ["src/a/mod.rs"]);
        assert_eq!(imported("use super::super::b::deep;"), ["src/b/deep.rs"]);
        assert_eq!(
            imported("mod inner { use super::super::two::Two; fn f() { super::own(); } } fn g() { super::A; }"),
            ["src/a/mod.rs", "src/a/two.rs"]
        );
        assert_eq!(imported("mod inner { fn f() {} } use self::inner::f; fn g() { super::two::Two; }"), ["src/a/two.rs"]);
    }

    #[test]
    fn a_path_in_the_code_is_an_import() {
        assert_eq!(imported("fn f() -> crate::b::deep::Dive { crate::a::two::Two::new() }"), ["src/a/two.rs", "src/b/deep.rs"]);
        assert_eq!(imported("use crate::b; fn f() { b::deep::dive() }"), ["src/b/deep.rs", "src/b/mod.rs"]);
        assert_eq!(imported("#[serde(with = \"crate::b::deep\")] struct S;"), ["src/b/deep.rs"]);
        assert_eq!(imported("fn f() { x.collect::<Vec<_>>(); y.b::<u8>(); ::b::deep::dive(); }"), [""; 0]);
    }

    #[test]
    fn a_macro_of_the_root_is_in_the_file_that_writes_it() {
        assert_eq!(imported("use crate::shout; fn f() { shout!() }"), ["src/b/mod.rs"]);
        assert_eq!(imported("macro_rules! m { () => { $crate::a::two::Two } }"), ["src/a/two.rs"]);
    }

    #[test]
    fn comments_texts_and_tests_import_nothing() {
        assert_eq!(
            imported("//! [`crate::b::B`]\n/* use crate::b::B; /* */ crate::b::B */ const A: &str = \"use crate::b::B;\";"),
            [""; 0]
        );
        assert_eq!(
            imported("const A: &str = r#\"\" crate::b::deep \"#; fn f<'a>(x: &'a str) { let c = '\"'; } use super::A;"),
            ["src/a/mod.rs"]
        );
        assert_eq!(
            imported("#[cfg(test)]\nmod tests { use crate::b::B; fn f() { if x { crate::b::C } } }\nuse super::A;"),
            ["src/a/mod.rs"]
        );
        assert_eq!(imported("#[cfg(test)] use crate::b::{B, C}; #[cfg(all(test, unix))] fn f() { crate::b::B }"), [""; 0]);
        assert_eq!(imported("#[cfg(not(test))] use crate::b::B;"), ["src/b/mod.rs"]);
        assert_eq!(imported("#![cfg(test)]\nuse crate::b::B;"), [""; 0]);
    }

    #[test]
    fn a_module_for_tests_only_is_no_file_of_the_product() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files =
            [file("src/lib.rs", "mod a;"), file("src/a/mod.rs", "#[cfg(test)] mod checks;"), file("src/a/checks.rs", "use super::A;")];
        assert_eq!(imports(&files).into_keys().collect::<Vec<_>>(), ["src/a/mod.rs", "src/lib.rs"]);
    }

    #[test]
    fn a_declaration_is_no_import_and_a_re_export_is_one() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file("src/a/mod.rs", "mod one; pub mod two; pub use two::Two;"), file("src/a/one.rs", ""), file("src/a/two.rs", "")];
        assert_eq!(imports(&files)["src/a/mod.rs"].iter().collect::<Vec<_>>(), ["src/a/two.rs"]);
    }
}
