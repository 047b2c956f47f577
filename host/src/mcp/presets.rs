//! Well-known servers, so that nobody has to look up how they are started.

use super::edit::Entry;

/// A server that can be added by its name.
#[derive(Debug)]
pub struct Preset {
    /// As it is typed, and as scripts see it.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Program and arguments, or a URL alone.
    start: &'static [&'static str],
    /// The secret it cannot do without.
    pub secret: Option<&'static str>,
}

/// All of them, in the order of their names.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "exa",
        summary: "Search the web with Exa",
        start: &["npx", "-y", "exa-mcp-server"],
        secret: Some("EXA_API_KEY"),
    },
    Preset {
        name: "fetch",
        summary: "Fetch a web page as Markdown",
        start: &["uvx", "mcp-server-fetch"],
        secret: None,
    },
    Preset {
        name: "firecrawl",
        summary: "Scrape and crawl web sites with Firecrawl",
        start: &["npx", "-y", "firecrawl-mcp"],
        secret: Some("FIRECRAWL_API_KEY"),
    },
    Preset {
        name: "parallel",
        summary: "Search and read the web with Parallel",
        start: &["https://search.parallel.ai/mcp"],
        secret: None,
    },
    Preset {
        name: "tavily",
        summary: "Search the web with Tavily",
        start: &["npx", "-y", "tavily-mcp"],
        secret: Some("TAVILY_API_KEY"),
    },
];

impl Preset {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Its entry, which refers to its secret and does not hold it.
    pub fn entry(&self) -> Entry {
        let secret = self.secret.map(|key| (key.to_owned(), format!("@secret:mcp.{}.{key}", self.name)));
        let env = secret.into_iter().collect();
        match self.start {
            [url] => Entry { url: Some((*url).into()), env, ..Entry::default() },
            words => Entry {
                command: words.first().map(|word| (*word).into()),
                args: words.iter().skip(1).map(|word| (*word).into()).collect(),
                env,
                ..Entry::default()
            },
        }
    }

    /// As it is started, on one line.
    pub fn start(&self) -> String {
        self.start.join(" ")
    }
}
