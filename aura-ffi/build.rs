//! Gives the shared library the name by which programs ask for it: that of its interface, `AURA_ABI_VERSION`.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => println!(
            "cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libaura.1.dylib,-compatibility_version,1"
        ),
        Ok("linux" | "android" | "freebsd") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libaura.so.1");
        }
        _ => {}
    }
}
