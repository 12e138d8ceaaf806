//! Registries from files and directories, and put together.

use super::super::{Bindings, Dimension, Registry};
use super::whole;
use crate::ErrorKind;

#[test]
fn a_directory_is_one_registry() {
    let dir = tempfile::tempdir().expect("a directory");
    let write =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    let error = Registry::load(dir.path()).expect_err("empty");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    write(
        "b.yaml",
        "version: 2\nmetrics:\n  - {name: twice, kind: derived, expr: '2 * {once}'}\n",
    );
    write(
        "a.json",
        "{\"version\": 2, \"metrics\": [{\"name\": \"once\", \"kind\": \"simple\", \"expr\": \"count(*)\"}]}",
    );
    write("notes.txt", "not a registry");
    let registry = Registry::load(dir.path()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(registry.names().collect::<Vec<_>>(), ["once", "twice"]);
    assert_eq!(registry.version(), 2);

    write(
        "b.yaml",
        "version: 3\nmetrics:\n  - {name: once, kind: derived, expr: '2 * {once}'}\n",
    );
    let error = Registry::load(dir.path()).expect_err("another version");
    let message = error.message();
    assert!(
        message.contains("b.yaml`: line 1, column 10: version: 3, but 2 in another file"),
        "{message}"
    );
    assert!(
        message.contains(
            "b.yaml`: line 3, column 12: metrics[0].name: the metric `once` is given twice"
        ),
        "{message}"
    );

    let error = Registry::load(dir.path().join("none.yaml")).expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    write("b.yaml", "");
    std::fs::write(dir.path().join("c.yml"), b"version: \xff").expect("written");
    let error = Registry::load(dir.path()).expect_err("not UTF-8");
    assert!(error.message().contains("byte 10 is not UTF-8"), "{error}");
}

#[test]
fn registries_are_put_together() {
    let one = Registry::parse("{version: 4, metrics: [{name: a, kind: simple, expr: count(*)}]}")
        .expect("one");
    let two = Registry::parse(
        "{version: 9, dimensions: [{name: team}], metrics: [{name: a, kind: simple, expr: COUNT( * )}, {name: b, kind: derived, expr: '{a}'}]}",
    )
    .expect("two");
    let both = one.clone().merge(&two).expect("both");
    assert_eq!(both.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((both.version(), both.dimensions().len()), (4, 1));
    let other = Registry::parse("{version: 1, metrics: [{name: a, kind: simple, expr: sum(x)}]}")
        .expect("other");
    let error = one.merge(&other).expect_err("two meanings");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error
            .message()
            .starts_with("the metric `a` is in both registries"),
        "{error}"
    );
    let builtin = Registry::builtin().expect("built-in");
    let all = builtin
        .clone()
        .merge(&whole())
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(all.len(), builtin.len() + whole().len());
    assert_eq!(builtin.clone().merge(&builtin).expect("the same"), builtin);
}

#[test]
fn definitions_in_code_are_checked_like_those_in_files() {
    let registry = whole();
    let again = Registry::from_definitions(
        3,
        registry.metrics().to_vec(),
        registry.dimensions().to_vec(),
    );
    assert_eq!(again.expect("again"), registry);
    let error = Registry::from_definitions(3, registry.metrics().to_vec(), Vec::<Dimension>::new())
        .expect_err("no dimensions");
    assert!(
        error
            .message()
            .contains("metric `purchases`: dimensions[0]: unknown dimension `plan`"),
        "{error}"
    );
    let twice = [registry.metrics(), registry.metrics()].concat();
    assert!(Registry::from_definitions(3, twice, Vec::new()).is_err());
}

#[test]
fn an_extension_may_not_take_names() {
    let base = whole();
    let text = "{version: 1, metrics: [{name: purchases, kind: simple, expr: count(*)}]}";
    let error = base.extend(text, &Bindings::new()).expect_err("taken");
    assert!(
        error
            .message()
            .contains("the metric `purchases` is given twice"),
        "{error}"
    );
    let error = base.metric("purchasse").expect_err("misspelt");
    assert_eq!(
        error.message(),
        "there is no metric `purchasse`; did you mean `purchases`?"
    );
}
