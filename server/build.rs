//! A new migration file must rebuild the server that carries it.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
