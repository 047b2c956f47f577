//! The machine's own package sources, from which the mirror to use is taken.

use crate::failure::{Failure, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Names under which Debian publishes a release.
const RELEASES: [&str; 12] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
    "experimental",
];
/// The keys of every current suite, by the names its package has given the file.
const KEYRINGS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"];

/// One suite on a mirror, and the keys it must be signed with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suite {
    /// As in `trixie-backports`.
    pub(crate) name: String,
    uri: String,
    keyrings: Vec<PathBuf>,
}

/// Where this machine gets Debian from.
#[derive(Debug, PartialEq)]
pub(crate) struct Mirror {
    archive: Source,
    security: Option<Source>,
}

/// What one entry of a sources file says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Vec<PathBuf>,
}

/// Finds the mirror this machine gets Debian from.
///
/// # Errors
/// When none of its sources is Debian's.
pub(crate) fn mirror() -> Result<Mirror> {
    let files = source_files(Path::new("/etc/apt"));
    let sources = files.iter().flat_map(|file| read(file)).collect::<Vec<_>>();
    Mirror::among(&sources)
        .ok_or_else(|| Failure::new("none of the package sources in /etc/apt is Debian's; this route needs a Debian"))
}

impl Suite {
    /// The entry for a sources file. Only the package index is wanted, and only for one architecture.
    pub(crate) fn line(&self, architecture: &str) -> String {
        let keyrings = self.keyrings.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",");
        let signed_by = if keyrings.is_empty() { String::new() } else { format!(" signed-by={keyrings}") };
        format!("deb [arch={architecture} target=Packages{signed_by}] {} {} main\n", self.uri, self.name)
    }
}

impl Mirror {
    /// These suites, from the mirror.
    pub(crate) fn suites(&self, names: &[&str]) -> Vec<Suite> {
        names.iter().map(|name| self.archive.suite(name)).collect()
    }

    /// The suites this machine itself uses.
    pub(crate) fn own_suites(&self) -> Vec<Suite> {
        let sources = [Some(&self.archive), self.security.as_ref()].into_iter().flatten();
        sources.flat_map(|source| source.suites.iter().map(|name| source.suite(name))).collect()
    }

    fn among(sources: &[Source]) -> Option<Self> {
        let debian = |wanted: fn(&str) -> bool| {
            sources.iter().filter(move |source| source.carries(wanted)).max_by_key(|source| source.rank())
        };
        Some(Self { archive: debian(is_release)?.clone(), security: debian(is_security).cloned() })
    }
}

impl Source {
    fn suite(&self, name: &str) -> Suite {
        let default = KEYRINGS.iter().map(PathBuf::from).find(|path| path.exists());
        let mut keyrings = self.signed_by.clone();
        keyrings.extend(default.filter(|path| !self.signed_by.contains(path)));
        Suite { name: name.to_owned(), uri: self.uri.clone(), keyrings }
    }

    fn carries(&self, wanted: fn(&str) -> bool) -> bool {
        let fetchable = self.uri.split_once(':').is_some_and(|(scheme, _)| scheme != "cdrom");
        fetchable
            && self.components.iter().any(|component| component == "main")
            && self.suites.iter().any(|suite| wanted(suite))
    }

    /// Other vendors use Debian's suite names, too: prefer Debian's keys, then a mirror's usual path.
    fn rank(&self) -> (bool, bool, std::cmp::Reverse<usize>) {
        let own_key = |path: &PathBuf| path.to_string_lossy().contains("debian-archive");
        let keys = self.signed_by.is_empty() || self.signed_by.iter().any(own_key);
        let path = self.uri.trim_end_matches('/').split('/').skip(3).any(|part| part.starts_with("debian"));
        (keys, path, std::cmp::Reverse(self.uri.len()))
    }
}

fn is_release(suite: &str) -> bool {
    RELEASES.contains(&suite)
}

fn is_security(suite: &str) -> bool {
    let release = suite.strip_suffix("-security").or_else(|| suite.strip_suffix("/updates"));
    release.is_some_and(is_release)
}

fn source_files(apt: &Path) -> Vec<PathBuf> {
    let parts = fs::read_dir(apt.join("sources.list.d")).into_iter().flatten().flatten().map(|file| file.path());
    let mut files = parts.collect::<Vec<_>>();
    files.sort();
    files.insert(0, apt.join("sources.list"));
    files
}

/// What cannot be read is no source of ours.
fn read(file: &Path) -> Vec<Source> {
    let text = fs::read_to_string(file).unwrap_or_default();
    match file.extension().and_then(|kind| kind.to_str()) {
        Some("list") => text.lines().filter_map(one_line).collect(),
        Some("sources") => paragraphs(&text),
        _ => Vec::new(),
    }
}

/// `deb [options] URI suite components…`
fn one_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(open) => open.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split('#').next()?.split_whitespace().map(str::to_owned);
    let (uri, suite) = (words.next()?, words.next()?);
    Some(Source { uri, suites: vec![suite], components: words.collect(), signed_by: signed_by_option(options) })
}

fn signed_by_option(options: &str) -> Vec<PathBuf> {
    let value = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    value
        .map(|paths| paths.split(',').filter(|path| path.starts_with('/')).map(PathBuf::from).collect())
        .unwrap_or_default()
}

/// Deb822: paragraphs of `Field: value`, where an indented line continues the field above it.
fn paragraphs(text: &str) -> Vec<Source> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines.chain([""]) {
        match line.split_once(':') {
            _ if line.trim().is_empty() => sources.extend(paragraph(&std::mem::take(&mut fields))),
            _ if line.starts_with([' ', '\t']) => continue_field(&mut fields, line),
            Some((name, value)) => fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned())),
            None => {}
        }
    }
    sources
}

fn continue_field(fields: &mut [(String, String)], line: &str) {
    if let Some((_, value)) = fields.last_mut() {
        value.push(' ');
        value.push_str(line.trim());
    }
}

fn paragraph(fields: &[(String, String)]) -> Vec<Source> {
    let words = |name: &str| {
        let value = fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str());
        value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let disabled =
        words("enabled").iter().any(|value| ["no", "false", "without", "off", "disable"].contains(&value.as_str()));
    if disabled || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    // A key may also stand in the field itself, and base64 may look like a path.
    let signed_by =
        words("signed-by").into_iter().take_while(|word| word.starts_with('/')).map(PathBuf::from).collect::<Vec<_>>();
    let source =
        |uri| Source { uri, suites: words("suites"), components: words("components"), signed_by: signed_by.clone() };
    words("uris").into_iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn takes(sources: &[Source], archive: &str, security: Option<&str>) {
        let mirror = Mirror::among(sources).expect("a mirror of Debian");
        assert_eq!(mirror.archive.uri, archive);
        assert_eq!(mirror.security.map(|source| source.uri).as_deref(), security);
    }

    fn list(text: &str) -> Vec<Source> {
        text.lines().filter_map(one_line).collect()
    }

    const CONTAINER: &str = "\
Types: deb
# an earlier snapshot of the archive
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";

    const INSTALLED: &str = "\
# deb cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_]/ bookworm main
deb https://ftp.example.org/debian/ bookworm main non-free-firmware # the nearest one
deb-src https://ftp.example.org/debian/ bookworm main
deb https://security.example.org/debian-security bookworm-security main
deb [arch=amd64 signed-by=/etc/apt/keyrings/containers.gpg] https://download.example.com/linux/debian bookworm stable
deb [signed-by=/usr/share/keyrings/tools.gpg] https://apt.tools.example bookworm main
deb https://packages.cloud.example/apt cloud-sdk-bookworm main
";

    #[test]
    fn both_formats_lead_to_the_mirror() {
        takes(&paragraphs(CONTAINER), "http://mirror.example/debian", Some("http://mirror.example/debian-security"));
        takes(
            &list(INSTALLED),
            "https://ftp.example.org/debian/",
            Some("https://security.example.org/debian-security"),
        );
    }

    #[test]
    fn a_company_mirror_with_its_own_key_serves_when_there_is_no_other() {
        let sources = list("deb [signed-by=/etc/corp.gpg] https://apt.corp.example/debian stable main");
        takes(&sources, "https://apt.corp.example/debian", None);
    }

    #[test]
    fn other_vendors_and_disabled_entries_are_no_mirror() {
        let ubuntu = list("deb http://archive.example/ubuntu noble main universe");
        let vendors = list(
            "deb [signed-by=/k.gpg] https://download.example.com/linux/debian bookworm stable\ndeb https://x.example/apt nodistro main",
        );
        let disabled = paragraphs(&format!("Enabled: no\n{}", CONTAINER.split("\n\n").next().expect("a paragraph")));
        let sources_only = paragraphs("Types: deb-src\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\n");
        for sources in [ubuntu, vendors, disabled, sources_only, Vec::new()] {
            assert_eq!(Mirror::among(&sources), None, "{sources:?}");
        }
    }

    #[test]
    fn a_key_inside_the_file_is_not_taken_for_a_path() {
        let text = "Types: deb deb-src\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main contrib\n\
                    Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n /abcd+=\n -----END PGP PUBLIC KEY BLOCK-----\n";
        let sources = paragraphs(text);
        assert_eq!(sources[0].components, ["main", "contrib"]);
        takes(&sources, "http://m.example/debian", None);
    }

    #[test]
    fn a_suite_is_asked_for_with_its_keys_and_nothing_else() {
        let suite = Suite {
            name: "trixie".into(),
            uri: "http://m.example/debian".into(),
            keyrings: vec!["/a.gpg".into(), "/b.gpg".into()],
        };
        assert_eq!(
            suite.line("arm64"),
            "deb [arch=arm64 target=Packages signed-by=/a.gpg,/b.gpg] http://m.example/debian trixie main\n"
        );
    }

    #[test]
    fn the_machines_own_suites_include_security() {
        let names =
            Mirror::among(&paragraphs(CONTAINER)).expect("a mirror").own_suites().into_iter().map(|suite| suite.name);
        assert_eq!(names.collect::<Vec<_>>(), ["bookworm", "bookworm-updates", "bookworm-security"]);
    }
}
