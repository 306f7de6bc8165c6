//! Prints the sample invoice as HTML and PDF into a folder: `cargo run -p documents --example invoice -- FOLDER`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("name a folder"));
    fs::create_dir_all(&folder).expect("a folder");
    for (name, document) in samples::showcase() {
        let html = documents::html(&document).expect("HTML");
        fs::write(folder.join(format!("{name}.html")), html).expect("a file");
        fs::write(folder.join(format!("{name}.pdf")), samples::printed(&document)).expect("a file");
    }
}
