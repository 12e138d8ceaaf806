//! Contracts that are refused, and what their authors are told.

use super::super::Contract;
use crate::ErrorKind;

const BROKEN: &str = include_str!("../../../../tests/data/contracts/broken.txt");

fn says(text: &str) -> String {
    let error = match Contract::parse(text) {
        Ok(contract) => panic!("accepted {text:?} as {contract:?}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{text:?}");
    let lines: Vec<&str> = error
        .message()
        .lines()
        .map(|line| line.strip_prefix("contract: ").expect(line))
        .collect();
    lines.join("\n")
}

#[test]
fn every_broken_contract_says_what_is_wrong_and_where() {
    let mut cases = 0;
    let mut wrong = String::new();
    for case in BROKEN.split("=== contract\n").skip(1) {
        let (text, expected) = case.split_once("=== says\n").expect(case);
        let found = says(text);
        if found != expected.trim_end() {
            wrong.push_str(&format!("{text}{found}\nexpected\n{expected}\n"));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases >= 70, "{cases} cases found");
}

#[test]
fn limits_hold_against_text_made_to_hurt() {
    assert!(says("").starts_with("the text is empty"));
    assert!(says(&" ".repeat((8 << 20) + 1)).contains("larger than 8 MiB"));
    for nested in [
        "[".repeat(200_000),
        "{\"a\":".repeat(200_000),
        "- ".repeat(50_000),
    ] {
        says(&nested);
    }
    // Ten levels of ten aliases each are 10^10 values.
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (from, to) in "abcdefghij".chars().zip("bcdefghijk".chars()) {
        let all = vec![format!("*{from}"); 10].join(",");
        bomb.push_str(&format!("{to}: &{to} [{all}]\n"));
    }
    assert!(says(&bomb).contains("not valid YAML"));
    // 100 patterns of some MiB each do not get their memory.
    let mut patterns = "name: a\nversion: 1\nproperties:\n".to_owned();
    for i in 0..100 {
        patterns.push_str(&format!(
            "  p{i}: {{type: string, pattern: '{i}\\w{{40}}'}}\n"
        ));
    }
    let said = says(&patterns);
    assert!(said.contains("need more than 64 MiB"), "{said}");
    assert!(said.ends_with("more"), "{said}");
    let mut many = "name: a\nversion: 1\nproperties:\n".to_owned();
    for i in 0..2_001 {
        many.push_str(&format!("  p{i}: {{type: string}}\n"));
    }
    assert!(says(&many).contains("2001 different properties"));
    let mut many = "name: a\nversion: 1\nevents:\n".to_owned();
    for i in 0..5_001 {
        many.push_str(&format!("  e{i}:\n"));
    }
    assert!(says(&many).contains("5001 events"));
}

#[test]
fn a_file_that_is_none_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("shop.yaml");
    let error = Contract::load(&path).expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("shop.yaml"), "{error}");

    std::fs::write(&path, b"name: sh\xffp\n").expect("written");
    let error = Contract::load(&path).expect_err("not UTF-8");
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(error.message().contains("byte 9 is not UTF-8"), "{error}");

    std::fs::write(&path, vec![b'#'; (8 << 20) + 1]).expect("written");
    let error = Contract::load(&path).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);

    std::fs::write(&path, "\u{feff}name: shop\nversion: 1\n").expect("written");
    assert_eq!(Contract::load(&path).expect("a contract").name, "shop");
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in "(name: a\nversion: 1\n)?[ -~\n\t&*!<{}\\[\\],:\"é]{0,80}") {
        _ = Contract::parse(&text);
    }

    #[test]
    fn parsing_cut_contracts_never_panics(at in 0_usize..2_000, json: bool) {
        let whole = super::whole();
        let text = if json { whole.to_json() } else { whole.to_yaml() }.expect("text");
        let cut: String = text.chars().take(at).collect();
        _ = Contract::parse(&cut);
    }
}
