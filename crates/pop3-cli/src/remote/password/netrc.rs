//! Passwords in `~/.netrc`, as of ftp, curl, fetchmail and mpop.

use std::{env, fs, io, path::PathBuf};

use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// Returns the password of `user` at `host` in the file that `NETRC` names, or in
/// `~/.netrc`, if there is one.
pub(super) fn find(host: &str, user: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let file = env::var_os("NETRC").map(PathBuf::from).or_else(|| {
        let home = env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
        Some(home.join(".netrc"))
    });
    let Some(file) = file else { return Ok(None) };
    let failed = |what: String| {
        Failure::new(
            Exit::NoInput,
            format_args!("cannot use {}: {what}", file.display()),
        )
    };
    let text = match fs::File::open(&file).and_then(super::read_some) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let Ok(text) = std::str::from_utf8(&text) else {
        return Err(failed(String::from("it is not UTF-8")));
    };
    let Some(password) = password_in(text, host, user) else {
        return Ok(None);
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            return Err(failed(format!(
                "other users can read the password in it; run chmod 600 {}",
                file.display()
            )));
        }
    }
    Ok(Some(password))
}

/// The first entry for `host`, or the default one, without a login or with this one.
fn password_in(text: &str, host: &str, user: &str) -> Option<Zeroizing<String>> {
    let mut tokens = Tokens(text);
    let mut is_for_host = false;
    let mut login = None;
    let mut password = None;
    loop {
        let token = tokens.next();
        let ends = matches!(
            token.as_ref().map(|token| token.as_str()),
            None | Some("machine" | "default" | "macdef")
        );
        if ends {
            let is_for_user = login
                .take()
                .is_none_or(|login: Zeroizing<String>| *login == user);
            let found: Option<Zeroizing<String>> = password.take();
            if is_for_host && is_for_user && found.is_some() {
                return found;
            }
            is_for_host = false;
        }
        match token?.as_str() {
            "machine" => is_for_host = tokens.next()?.eq_ignore_ascii_case(host),
            "default" => is_for_host = true,
            // A macro ends with an empty line.
            "macdef" => tokens.0 = tokens.0.split_once("\n\n").map_or("", |(_, rest)| rest),
            "login" => login = tokens.next(),
            "password" => password = tokens.next(),
            "account" => drop(tokens.next()),
            _ => {}
        }
    }
}

/// Words, or texts in double quotes with backslashes before quotes and backslashes. A
/// `#` at the start of a word begins a comment.
struct Tokens<'a>(&'a str);

impl Iterator for Tokens<'_> {
    type Item = Zeroizing<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.0.trim_start();
        while rest.starts_with('#') {
            rest = rest
                .split_once('\n')
                .map_or("", |(_, rest)| rest)
                .trim_start();
        }
        let mut token = Zeroizing::new(String::new());
        match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut chars = quoted.chars();
                while let Some(char) = chars.next().filter(|char| *char != '"') {
                    token.push(match char {
                        '\\' => chars.next()?,
                        char => char,
                    });
                }
                self.0 = chars.as_str();
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.is_empty() {
                    return None;
                }
                token.push_str(word);
                self.0 = after;
            }
        }
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::password_in;

    #[test]
    fn finds_the_password_of_the_user_at_the_host() {
        let text = "# mail\nmachine a.example login me password one\n\
                    machine a.example\n\tlogin you\n\tpassword \"t\\\"w o\"\n\
                    macdef init\nmachine a.example password no\n\n\
                    machine b.example account password password login login me\n\
                    machine c.example login me\n\
                    default login anonymous password guest\n";
        for (host, user, found) in [
            ("a.example", "me", Some("one")),
            ("A.Example", "you", Some("t\"w o")),
            ("a.example", "other", None),
            ("b.example", "me", Some("login")),
            ("b.example", "other", None),
            ("c.example", "me", None),
            ("d.example", "anonymous", Some("guest")),
            ("d.example", "me", None),
        ] {
            let password = password_in(text, host, user);
            assert_eq!(
                password.as_deref().map(String::as_str),
                found,
                "{user}@{host}"
            );
        }
    }

    #[test]
    fn survives_what_is_no_netrc() {
        for text in [
            "",
            "machine",
            "machine h password",
            "\"",
            "password \"\\",
            "#",
            "macdef x",
        ] {
            assert_eq!(password_in(text, "h", "me"), None, "{text}");
        }
    }
}
