//! Which of the configured values are secrets, for the host to look for them where they should not be.

use super::{Config, Value};
use crate::description::Description;
use crate::secret::Secret;
use crate::secrets::Secrets;

/// Parts of names that say so, for fields of providers that have not said it themselves yet.
const TELLING: [&str; 10] =
    ["token", "secret", "password", "passphrase", "passwd", "credential", "jwt", "key", "authorization", "cookie"];

impl Config {
    /// Everything that is a secret by its name: fields of accounts in the file, and fields of accounts in the store and
    /// variables of these providers.
    pub(crate) fn teach_by_name(&self, providers: &[String], secrets: &Secrets) {
        for (provider, accounts) in &self.accounts {
            for (account, written) in accounts {
                for (field, value) in written.0.iter().filter(|(field, _)| is_telling(field)) {
                    self.teach(secrets, &named(field, provider, account), value);
                }
            }
        }
        providers.iter().for_each(|provider| self.teach_kept(provider, secrets));
        let prefixes: Vec<_> = providers.iter().map(|name| format!("{}_", name.to_ascii_uppercase())).collect();
        let of_provider = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
        for (name, value) in self.environment.iter().filter(|(name, _)| of_provider(name) && is_telling(name)) {
            secrets.learn(&format!("${name} of the environment"), &Secret::new(value.clone()));
        }
    }

    /// Every secret of every account of a provider that says which fields are secret.
    pub(crate) fn teach_provider(&self, description: &Description, secrets: &Secrets) {
        for account in self.account_names(description) {
            // An account that cannot be read is a fault for whoever uses it.
            let Ok(Some((_, fields))) = self.fields(description, &account) else { continue };
            for field in description.secrets() {
                if let Some(value) = fields.get(&field.key) {
                    secrets.learn(&named(&field.key, &description.name, &account), value);
                }
            }
        }
    }

    fn teach_kept(&self, provider: &str, secrets: &Secrets) {
        let Some(store) = &self.store else { return };
        // A store that cannot be read is a fault for whoever uses an account in it.
        for account in store.accounts(provider).unwrap_or_default() {
            let kept = store.fields(provider, &account).unwrap_or_default();
            for (field, value) in kept.into_iter().filter(|(field, _)| is_telling(field)) {
                if let Ok(value) = self.kept(provider, &account, &field, value) {
                    secrets.learn(&named(&field, provider, &account), &value);
                }
            }
        }
    }

    fn teach(&self, secrets: &Secrets, name: &str, value: &Value) {
        match value {
            Value::Text(text) => secrets.learn(name, &Secret::new(text.clone())),
            Value::Environment { env } => {
                if let Some(text) = self.environment.get(env) {
                    secrets.learn(name, &Secret::new(text.clone()));
                }
            }
        }
    }
}

fn named(field: &str, provider: &str, account: &str) -> String {
    format!("`{field}` of {provider}.{account}")
}

/// Whether a field, variable or header of this name holds a secret.
pub(crate) fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FILE: &str = "[accounts.absent.default]\nurl = \"https://absent.test\"\napi_key = \"key-of-absent\"\n\
         region = \"north-by-northwest\"\nPassWord = { env = \"ELSEWHERE\" }\n";

    fn taught() -> Secrets {
        let variables = [
            ("ELSEWHERE", "from-elsewhere"),
            ("DIALPAD_WORK_ACCESS_TOKEN", "token-of-work"),
            ("DIALPAD_URL", "https://dialpad.test"),
            ("OTHER_TOKEN", "nobody-of-ours"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config =
            Config::parse(FILE, Path::new("config.toml")).expect("a configuration").with_environment(variables);
        let secrets = Secrets::default();
        config.teach_by_name(&["dialpad".into()], &secrets);
        secrets
    }

    #[track_caller]
    fn check(text: &str, name: Option<&str>) {
        assert_eq!(taught().find(text.as_bytes()).as_deref(), name);
    }

    #[test]
    fn names_tell_what_is_secret_before_the_provider_does() {
        check("key-of-absent", Some("`api_key` of absent.default"));
        check("from-elsewhere", Some("`PassWord` of absent.default"));
        check("token-of-work", Some("$DIALPAD_WORK_ACCESS_TOKEN of the environment"));
        check("north-by-northwest", None);
        check("https://dialpad.test", None);
        check("nobody-of-ours", None);
    }
}
