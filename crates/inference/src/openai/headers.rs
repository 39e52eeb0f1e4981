use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;

use super::settings::OpenAiSettings;

/// Headers of every request; none when a value cannot be sent in one.
pub(super) fn headers(settings: &OpenAiSettings, base: &Url) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &settings.api_key {
        headers.insert(AUTHORIZATION, secret(&format!("Bearer {}", key.expose_secret()))?);
        if is_azure(base) {
            // Azure takes a bearer token for people and services that it knows, and a key here.
            headers.insert("api-key", secret(key.expose_secret())?);
        }
    }
    let others = [("openai-organization", &settings.organisation), ("openai-project", &settings.project)];
    for (name, value) in others {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    Some(headers)
}

fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_azure(base: &Url) -> bool {
    base.host_str().is_some_and(|host| host.ends_with(".azure.com"))
}

#[cfg(test)]
mod tests {
    use super::{AUTHORIZATION, OpenAiSettings, headers};

    #[test]
    fn a_key_is_sent_where_the_endpoint_looks_for_it() {
        for (address, is_azure) in [
            ("https://team.openai.azure.com/openai/v1", true),
            ("https://api.openai.com/v1", false),
            ("https://azure.com.example/v1", false),
        ] {
            let settings =
                OpenAiSettings { api_key: Some("sk-secret".to_owned().into()), ..OpenAiSettings::new(address, "m") };
            let headers = headers(&settings, &address.parse().expect("an address")).expect("can be sent");
            assert_eq!(headers[AUTHORIZATION], "Bearer sk-secret");
            assert_eq!(headers.get("api-key").is_some_and(|key| key == "sk-secret"), is_azure, "{address}");
            assert!(!format!("{headers:?}").contains("secret"), "headers hide it");
        }
    }
}
