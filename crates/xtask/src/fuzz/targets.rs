//! `cargo xtask targets`

use crate::fuzz::target::Target;

/// List the fuzz targets
#[derive(clap::Args)]
pub(crate) struct Targets {
    /// As one line of JSON
    #[arg(long)]
    json: bool,
}

impl Targets {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let names: Vec<_> = Target::all()?
            .into_iter()
            .map(|target| target.name)
            .collect();
        match self.json {
            true => println!("{}", serde_json::to_string(&names)?),
            false => println!("{}", names.join("\n")),
        }
        Ok(())
    }
}
