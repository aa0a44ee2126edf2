//! What is made before the crate is compiled: the dashboard's page and the vocabularies' tables.

#[path = "../dashboard/build.rs"]
mod dashboard;
#[path = "meter/vocabulary/build.rs"]
mod vocabulary;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/build.rs");
    vocabulary::lay_out()?;
    dashboard::embed()
}
