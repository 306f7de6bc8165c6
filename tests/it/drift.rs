//! Generated files that are committed: they must be what the code says. `UPDATE=1 cargo test --test it drift` rewrites them.

use std::path::Path;

use tenantry::meter::hot_paths;

fn check(file: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{file} is not what the code says. Run: UPDATE=1 cargo test --test it drift");
}

#[test]
fn openapi_json_is_what_the_routes_say() {
    let document = tenantry::api::openapi::document::generate();
    assert_eq!(document["openapi"], "3.1.0");
    check("openapi.json", &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
}

#[test]
fn the_texts_for_language_models_are_what_the_document_says() {
    let document = tenantry::api::openapi::document::generate();
    let reference = tenantry::api::reference::markdown(&document);
    check("assets/llms.txt", &tenantry::api::reference::overview(&document, reference.len()));
    check("assets/docs/reference.md", &reference);
}

#[test]
fn the_errors_are_documented_from_the_catalogue() {
    check("docs/ERRORS.md", &tenantry::api::openapi::errors::markdown());
    check("assets/docs/errors.html", &tenantry::api::openapi::errors::page());
}

#[test]
fn the_shell_knows_the_hot_paths() {
    check("src/edge/hot_paths.mjs", &hot_paths::javascript());
}

#[test]
fn every_hot_path_is_an_operation() {
    let document = tenantry::api::openapi::document::generate();
    for (method, path, _) in hot_paths::HOT_PATHS {
        assert!(document["paths"][path][method.to_lowercase()].is_object(), "{method} {path} is in hot_paths.rs and no route");
    }
}

#[test]
fn business_md_is_what_the_workflows_say() {
    check("docs/BUSINESS.md", &tenantry::jobs::story::markdown());
}
