//! Guesses at personal data, from names and from values.

use std::net::IpAddr;

use super::Pii;
use crate::event::PropertyType;

/// Guesses from the name of a property.
pub(super) fn by_name(name: &str, ty: PropertyType) -> Option<Pii> {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |any: &[&str]| words.iter().any(|w| any.contains(w));
    let pair = |first: &[&str], second: &[&str]| {
        words
            .windows(2)
            .any(|w| first.contains(&w[0]) && second.contains(&w[1]))
    };
    let numeric = matches!(ty, PropertyType::Number | PropertyType::Integer);
    if has(&["lat", "latitude", "lon", "lng", "longitude", "gps", "geo"]) {
        return (numeric || ty == PropertyType::String || ty == PropertyType::Json)
            .then_some(Pii::Location);
    }
    if !numeric && ty != PropertyType::String {
        return None;
    }
    if has(&["ssn", "passport", "imei", "idfa", "idfv", "gaid"])
        || pair(
            &[
                "user", "customer", "account", "device", "client", "person", "member", "employee",
            ],
            &["id", "uuid", "guid"],
        )
        || has(&["userid", "deviceid", "customerid", "accountid"])
    {
        return Some(Pii::Id);
    }
    if has(&["phone", "telephone", "mobile", "msisdn"])
        && !has(&[
            "type", "model", "os", "app", "is", "has", "count", "version",
        ])
    {
        return Some(Pii::Phone);
    }
    if numeric {
        return None;
    }
    if has(&["email", "mail"]) && !has(&["subject", "type", "template", "campaign", "count", "id"])
    {
        return Some(Pii::Email);
    }
    if has(&["ip", "ipv4", "ipv6"]) {
        return Some(Pii::Ip);
    }
    if pair(
        &[
            "first", "last", "full", "given", "family", "middle", "user", "customer", "person",
        ],
        &["name"],
    ) || has(&[
        "firstname",
        "lastname",
        "fullname",
        "surname",
        "username",
        "nickname",
    ]) {
        return Some(Pii::Name);
    }
    if has(&["street", "zip", "zipcode", "postcode", "postal", "address"]) {
        return Some(Pii::Location);
    }
    if has(&["comment", "comments", "feedback", "note", "notes", "bio"])
        || pair(&["free"], &["text"])
    {
        return Some(Pii::FreeText);
    }
    None
}

/// Guesses from one value.
pub(super) fn by_value(value: &str) -> Option<Pii> {
    if looks_like_email(value) {
        Some(Pii::Email)
    } else if looks_like_ip(value) {
        Some(Pii::Ip)
    } else if looks_like_phone(value) {
        Some(Pii::Phone)
    } else {
        None
    }
}

/// Splits `clientIP`, `client_ip` and `client-ip` into lower-case words.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| chars.get(b));
        let after = chars.get(i + 1);
        let begins = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || (before.is_some_and(|b| b.is_uppercase())
                    && after.is_some_and(|a| a.is_lowercase())));
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

fn looks_like_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else {
        return false;
    };
    let Some((host, top)) = domain.rsplit_once('.') else {
        return false;
    };
    value.len() <= 254
        && !local.is_empty()
        && !host.is_empty()
        && top.len() >= 2
        && top.chars().all(char::is_alphabetic)
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | '<' | '>'))
        && !domain.contains('@')
}

fn looks_like_ip(value: &str) -> bool {
    // `::` and `1::2` also occur as separators and times.
    value.parse::<IpAddr>().is_ok_and(|ip| match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(_) => value.len() >= 6,
    })
}

/// An international number (`+49 30 123456`), or ten digits in groups (`(555) 123-4567`).
fn looks_like_phone(value: &str) -> bool {
    if value.len() > 24
        || !value
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.'))
    {
        return false;
    }
    let groups: Vec<usize> = value
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .filter(|len| *len > 0)
        .collect();
    let digits: usize = groups.iter().sum();
    let international = value.starts_with('+')
        && !value.get(1..).is_some_and(|v| v.contains('+'))
        && (8..=15).contains(&digits);
    international || (groups == [3, 3, 4] && !value.contains('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_by_value() {
        let cases = [
            ("ada@example.org", Some(Pii::Email)),
            ("ada@example", None),
            ("git@example.org:repo.git", None),
            ("@handle", None),
            ("192.0.2.1", Some(Pii::Ip)),
            ("2001:db8::1", Some(Pii::Ip)),
            ("::", None),
            ("12:30:59", None),
            ("+49 30 1234567", Some(Pii::Phone)),
            ("(555) 123-4567", Some(Pii::Phone)),
            ("555-123-4567", Some(Pii::Phone)),
            ("2026-01-31", None),
            ("1234567890", None),
            ("+1", None),
            ("++++", None),
            ("", None),
            ("é", None),
        ];
        for (value, expected) in cases {
            assert_eq!(by_value(value), expected, "{value:?}");
        }
    }

    #[test]
    fn guesses_by_name() {
        use PropertyType::{Boolean, Number, String};
        let cases = [
            ("email", String, Some(Pii::Email)),
            ("userEmail", String, Some(Pii::Email)),
            ("email_count", Number, None),
            ("email_verified", Boolean, None),
            ("clientIP", String, Some(Pii::Ip)),
            ("IPAddress", String, Some(Pii::Ip)),
            ("ship", String, None),
            ("first_name", String, Some(Pii::Name)),
            ("product_name", String, None),
            ("phone", String, Some(Pii::Phone)),
            ("lat", Number, Some(Pii::Location)),
            ("platform", String, None),
            ("device_id", String, Some(Pii::Id)),
            ("deviceId", String, Some(Pii::Id)),
            ("order_id", String, None),
            ("comment", String, Some(Pii::FreeText)),
        ];
        for (name, ty, expected) in cases {
            assert_eq!(by_name(name, ty), expected, "{name}");
        }
    }
}
