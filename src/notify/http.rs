//! A message by HTTP: one POST of JSON, with a time limit over all of it.

use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue};
use ureq::{Agent, Error};

use super::message::Message;

/// Bytes of an answer that are read: enough for a sentence that says what is wrong.
const MOST_ANSWER: u64 = 300;

/// Whether a header can be sent so.
///
/// # Errors
/// What is wrong with it.
pub fn check_header(name: &str, value: &str) -> Result<(), String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("`{name}` is no header: {error}"))?;
    HeaderValue::from_str(value)
        .map_err(|_| format!("the value of `{name}` holds what no header may hold"))?;
    Ok(())
}

/// Posts a message; what came back in words. Anything but an answer of 200 to 299 within the time is a failure; no other
/// address is gone to that an answer names.
///
/// # Errors
/// What came back instead.
pub fn post(
    url: &str,
    headers: &[(String, String)],
    message: &Message,
    timeout: Duration,
) -> Result<String, String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("soakrig/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut request = agent.post(url).header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut answer = request.send(message.json().to_string()).map_err(|error| told(&error, timeout))?;
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(MOST_ANSWER).lossy_utf8(true).read_to_string();
    let said = match text {
        Ok(text) if text.trim().is_empty() => String::new(),
        Ok(text) => format!(
            ": {}",
            text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
        ),
        // The status has been said; a body that is long or breaks off changes nothing.
        Err(_) => String::new(),
    };
    let words = format!("it answered {status}{said}");
    if status.is_success() { Ok(words) } else { Err(words) }
}

fn told(error: &Error, timeout: Duration) -> String {
    match error {
        Error::Timeout(_) => {
            format!("no whole answer within {}", crate::base::span::render_span(timeout))
        }
        other => other.to_string(),
    }
}
