//! Writes the C header and the bindings of UniFFI.
//!
//! `aura-ffi-tools header CRATE OUT`: the header of the crate in the directory `CRATE`.
//! `aura-ffi-tools bindings CONFIG LIBRARY OUT`: Kotlin, Python, Ruby and Swift for a library, into the directory `OUT`.

use std::env;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

fn main() -> Result<()> {
    let arguments: Vec<Utf8PathBuf> = env::args().skip(1).map(Utf8PathBuf::from).collect();
    match arguments.iter().map(|a| a.as_str()).collect::<Vec<_>>()[..] {
        ["header", directory, out] => header(directory.into(), out.into()),
        ["bindings", config, library, out] => bindings(config.into(), library.into(), out.into()),
        _ => bail!("expected `header CRATE OUT`, or `bindings CONFIG LIBRARY OUT`"),
    }
}

fn header(directory: Utf8PathBuf, out: Utf8PathBuf) -> Result<()> {
    let path = directory.join("cbindgen.toml");
    let config = cbindgen::Config::from_file(&path).map_err(anyhow::Error::msg)?;
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(directory.join("src/lib.rs"))
        .generate()
        .context("the sources cannot be read")?;
    bindings.write_to_file(&out);
    Ok(())
}

fn bindings(config: Utf8PathBuf, library: Utf8PathBuf, out: Utf8PathBuf) -> Result<()> {
    generate(GenerateOptions {
        languages: vec![
            TargetLanguage::Kotlin,
            TargetLanguage::Python,
            TargetLanguage::Ruby,
            TargetLanguage::Swift,
        ],
        source: library,
        out_dir: out,
        config_override: Some(config),
        format: false,
        crate_filter: None,
        metadata_no_deps: true,
    })
}
