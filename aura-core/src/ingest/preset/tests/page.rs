//! The page for users.

use super::super::Preset;

/// The page that says where each field goes names every preset, and for each role the fields that it comes from.
#[test]
fn the_page_of_the_presets_names_the_fields_of_the_roles() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/presets.md");
    let page = std::fs::read_to_string(path).unwrap();
    for preset in [
        Preset::Segment,
        Preset::CloudEvents,
        Preset::PostHog,
        Preset::Mixpanel,
    ] {
        let title = format!("\n## {preset:?}\n");
        let section = page.split_once(&title).unwrap().1;
        let section = section.split("\n## ").next().unwrap();
        for (role, fields) in ["actor", "event", "time"].iter().zip(preset.role_fields()) {
            let start = format!("| `{role}` | ");
            let line = section.lines().find(|l| l.starts_with(&start)).unwrap();
            for field in fields {
                assert!(line.contains(&format!("`{field}`")), "{preset:?}: {line}");
            }
        }
        assert!(section.contains("**Source**"), "{preset:?}");
    }
}
