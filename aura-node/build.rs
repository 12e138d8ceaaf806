//! Tells the linker what an addon of Node needs on each system.

fn main() {
    napi_build::setup();
}
