//! Recipes for known client programs: `recipes/*.toml`.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde::Deserialize;

use super::{Client, Invocation, Options, Store, Takes};
use crate::{audit, report::Report};

/// How to audit a known program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    #[serde(skip)]
    name: String,
    title: String,
    package: Option<String>,
    /// Names or paths; the first one that exists replaces `{program}`.
    programs: Vec<PathBuf>,
    version: Vec<String>,
    store: Store,
    #[serde(default)]
    takes: Takes,
    #[serde(default)]
    not_as_root: bool,
    plain: Invocation,
    stls: Option<Invocation>,
}

/// Why a text is not a valid recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeError {
    name: String,
    what: String,
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recipe {}: {}", self.name, self.what)
    }
}

impl core::error::Error for RecipeError {}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, with the place if TOML knows it.
    pub fn parse(name: &str, text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|error| RecipeError {
            name: name.to_owned(),
            what: error.to_string(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            ..recipe
        })
    }

    /// Its name, as `--recipe` takes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program that it audits.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The Debian package of the program.
    #[must_use]
    pub fn package(&self) -> Option<&str> {
        self.package.as_deref()
    }

    /// The program, if it is installed.
    #[must_use]
    pub fn program(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories: Vec<_> = env::split_paths(&path).collect();
        let found = |program: &PathBuf| match program.is_absolute() {
            true => program.is_file().then(|| program.clone()),
            false => (directories.iter())
                .map(|directory| directory.join(program))
                .find(|path| path.is_file()),
        };
        self.programs.iter().find_map(found)
    }

    /// The client, with its program at `program`.
    #[must_use]
    pub fn client(&self, program: &Path) -> Client {
        let program = program.display().to_string();
        let filled = |invocation: &Invocation| Invocation {
            command: (invocation.command.iter())
                .map(|word| word.replace("{program}", &program))
                .collect(),
            ..invocation.clone()
        };
        Client {
            name: match self.version(Path::new(&program)) {
                Some(version) => format!("{} ({version})", self.title),
                None => self.title.clone(),
            },
            plain: Some(filled(&self.plain)),
            stls: self.stls.as_ref().map(filled),
            place: match self.store {
                Store::Mbox => "mbox".into(),
                _ => "Maildir".into(),
            },
            store: self.store.clone(),
            takes: self.takes,
            not_as_root: self.not_as_root,
        }
    }

    /// Audits the program at `program` in all scenarios.
    ///
    /// # Errors
    ///
    /// If it cannot be run.
    pub fn audit(&self, program: &Path, options: &Options) -> io::Result<Report> {
        let client = self.client(program);
        let audit = super::audit(&client, audit::scenarios(), options, &|_| {})?;
        Ok(audit.report())
    }

    /// The first line of the program's version output.
    fn version(&self, program: &Path) -> Option<String> {
        let output = Command::new(program)
            .args(&self.version)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut lines = text.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty())?;
        Some(first.chars().take(80).collect())
    }
}

/// The recipes that come with the crate.
#[must_use]
pub fn recipes() -> &'static [Recipe] {
    static PARSED: OnceLock<Vec<Recipe>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let recipes = recipe_files().iter();
        recipes
            .flat_map(|(name, text)| Recipe::parse(name, text))
            .collect()
    })
}

/// The names and texts of the recipes.
#[must_use]
pub const fn recipe_files() -> &'static [(&'static str, &'static str)] {
    RECIPES
}

/// A test compares these with the directory.
#[rustfmt::skip]
const RECIPES: &[(&str, &str)] = &[
    ("curl", include_str!("../../../recipes/curl.toml")),
    ("fdm", include_str!("../../../recipes/fdm.toml")),
    ("fetchmail", include_str!("../../../recipes/fetchmail.toml")),
    ("getmail6", include_str!("../../../recipes/getmail6.toml")),
    ("mpop", include_str!("../../../recipes/mpop.toml")),
    ("mutt", include_str!("../../../recipes/mutt.toml")),
    ("neomutt", include_str!("../../../recipes/neomutt.toml")),
    ("net-pop", include_str!("../../../recipes/net-pop.toml")),
    ("net-pop3", include_str!("../../../recipes/net-pop3.toml")),
    ("nmh", include_str!("../../../recipes/nmh.toml")),
    ("node-pop3", include_str!("../../../recipes/node-pop3.toml")),
    ("pop3", include_str!("../../../recipes/pop3.toml")),
    ("poplib", include_str!("../../../recipes/poplib.toml")),
    ("s-nail", include_str!("../../../recipes/s-nail.toml")),
    ("textproto", include_str!("../../../recipes/textproto.toml")),
];
