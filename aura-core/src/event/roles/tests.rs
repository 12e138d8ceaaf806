use super::*;
use crate::ErrorKind;

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn usual_names_are_found_in_any_spelling() {
    let found = |names: &[&str]| Roles::default().resolve(&columns(names)).unwrap();
    let spelled = found(&["User ID", "EVENT-NAME", "Created At", "$Insert_ID"]);
    assert_eq!(
        (spelled.actor.as_str(), spelled.event.as_deref()),
        ("User ID", Some("EVENT-NAME"))
    );
    assert_eq!(
        (spelled.time.as_str(), spelled.event_id.as_deref()),
        ("Created At", Some("$Insert_ID"))
    );
    // A name as it stands goes before any other spelling, even of a more usual name.
    let exact = found(&["ACTOR", "user", "Event", "type", "time"]);
    assert_eq!(
        (exact.actor.as_str(), exact.event.as_deref()),
        ("user", Some("type"))
    );
}

#[test]
fn two_spellings_of_one_name_are_not_guessed_between() {
    let error = Roles::default()
        .resolve(&columns(&["USER_ID", "User Id", "event", "time"]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        error.message().contains("`USER_ID` and `User Id`"),
        "{error}"
    );
}

#[test]
fn a_misspelled_column_is_answered_with_the_nearest() {
    let roles = Roles::new("usr_id", "event", "time");
    let error = roles
        .resolve(&columns(&["user_id", "event", "time"]))
        .unwrap_err();
    assert!(
        error.message().contains("did you mean `user_id`?"),
        "{error}"
    );
    let roles = Roles::new("nobody", "event", "time");
    let error = roles
        .resolve(&columns(&["user_id", "event", "time"]))
        .unwrap_err();
    assert!(!error.message().contains("did you mean"), "{error}");
}
