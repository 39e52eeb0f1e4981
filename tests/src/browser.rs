//! A browser that is driven like a person drives it: Debian's Chromium through its WebDriver, which is JSON over HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::data::folder;
use crate::wait_until;

/// Until the browser has done what it was told.
const COMMAND: Duration = Duration::from_secs(60);
/// How WebDriver names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Nothing but the page: no connections of its own, nothing kept.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Keys as WebDriver spells them.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// Escape.
    pub const ESCAPE: &str = "\u{e00c}";
    /// Tab.
    pub const TAB: &str = "\u{e004}";
}

/// A browser with one window and an empty profile. Closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    client: Client,
    /// Address of the session.
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens a window of this many pixels; `None`, said aloud, where there is no Chromium.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn open(width: u32, height: u32) -> Option<Self> {
        let mut command = Command::new(program()?);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("the driver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let told = line.split_once("started successfully on port ")?.1.trim_end_matches('.').to_owned();
            told.parse::<u16>().ok()
        });
        let (client, profile) = (crate::client(COMMAND), folder());
        let driver_url = format!("http://127.0.0.1:{}", port.expect("the driver says its port"));
        let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}
        }}});
        let started = send(&client, Method::POST, &format!("{driver_url}/session"), &wanted).expect("a browser starts");
        let session = format!("{driver_url}/session/{}", started["sessionId"].as_str().expect("a session"));
        let browser = Self { driver, client, session, _profile: profile };
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.devtools("Emulation.setDeviceMetricsOverride", &size);
        Some(browser)
    }

    /// Prefers light or dark.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Goes to an address and waits until it is loaded.
    pub fn go(&self, url: &str) {
        self.command(Method::POST, "/url", &json!({"url": url}));
    }

    /// Runs a script's body in the page and returns its `return` value.
    #[must_use]
    pub fn value(&self, script: &str) -> Value {
        self.command(Method::POST, "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script's body in the page.
    pub fn run(&self, script: &str) {
        let _ = self.value(script);
    }

    /// Runs a script's body that calls its last argument when it is done, and returns what it calls it with.
    #[must_use]
    pub fn value_later(&self, script: &str) -> Value {
        self.command(Method::POST, "/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true in the page.
    ///
    /// # Panics
    /// When it does not become so.
    pub fn wait(&self, expression: &str) {
        wait_until(expression, || self.value(&format!("return Boolean({expression})")) == true);
    }

    /// The text of the first element that a CSS selector finds, as people see it.
    #[must_use]
    pub fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("return document.querySelector({})?.innerText ?? ''", json!(selector)));
        text.as_str().expect("a text").to_owned()
    }

    /// How many elements a CSS selector finds.
    #[must_use]
    pub fn count(&self, selector: &str) -> u64 {
        self.value(&format!("return document.querySelectorAll({}).length", json!(selector))).as_u64().expect("a number")
    }

    /// Clicks what a CSS selector finds, where it is on the screen.
    pub fn click(&self, selector: &str) {
        let id = self.element(selector);
        self.command(Method::POST, &format!("/element/{id}/click"), &json!({}));
    }

    /// Clicks the button that has these words, or this label, whichever turn or row it is in: the last one.
    pub fn press(&self, label: &str) {
        self.run(&format!(
            "const named = (button) => (button.getAttribute('aria-label') ?? button.innerText).trim() === {};\
             [...document.querySelectorAll('button')].filter(named).at(-1).click()",
            json!(label)
        ));
    }

    /// Moves the pointer over what a CSS selector finds.
    pub fn point_at(&self, selector: &str) {
        let id = self.element(selector);
        let pointer = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "duration": 10, "x": 0, "y": 0, "origin": {ELEMENT: id}}
        ]});
        self.command(Method::POST, "/actions", &json!({"actions": [pointer]}));
    }

    /// Types into whatever has the focus.
    pub fn keys(&self, keys: &str) {
        let active = self.command(Method::GET, "/element/active", &Value::Null);
        let id = active[ELEMENT].as_str().expect("something has the focus");
        self.command(Method::POST, &format!("/element/{id}/value"), &json!({"text": keys}));
    }

    /// Gives a file to a field for files.
    pub fn choose_file(&self, selector: &str, path: &Path) {
        let id = self.element(selector);
        self.command(Method::POST, &format!("/element/{id}/value"), &json!({"text": path.to_str().expect("Unicode")}));
    }

    /// What the page has complained of so far, without the answers of the service that are no 200: those are shown by
    /// the browser as errors, and are what some tests are about.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command(Method::POST, "/se/log", &json!({"type": "browser"}));
        let severe = log.as_array().expect("a list").iter().filter(|entry| entry["level"] == "SEVERE");
        let said = severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned());
        said.filter(|message| !message.contains("Failed to load resource")).collect()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command(Method::POST, "/element", &json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.command(Method::POST, "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        send(&self.client, method, &url, body).unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes its browser; both may have ended already.
        let _ = send(&self.client, Method::DELETE, &self.session, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn send(client: &Client, method: Method, url: &str, body: &Value) -> Result<Value, String> {
    let request = client.request(method, url);
    let request = if body.is_null() { request } else { request.json(body) };
    let response = request.send().map_err(|error| error.to_string())?;
    let is_success = response.status().is_success();
    let answer: Value = response.json().map_err(|error| error.to_string())?;
    let value = &answer["value"];
    if is_success { Ok(value.clone()) } else { Err(value["message"].as_str().unwrap_or("it failed").to_owned()) }
}

/// `QANDA_CHROMEDRIVER`, else the one that the system has.
fn program() -> Option<PathBuf> {
    let given = std::env::var_os("QANDA_CHROMEDRIVER").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = given.into_iter().chain(std::env::split_paths(&path).map(|folder| folder.join("chromedriver")));
    let program = found.into_iter().find(|file| file.is_file());
    if program.is_none() {
        crate::skip("there is no chromedriver; scripts/browser.sh installs it with Chromium on Debian");
    }
    program
}

/// The script of axe-core, which looks for barriers; `None`, said aloud, where it is not installed.
#[must_use]
pub fn axe() -> Option<String> {
    let file = crate::cache()?.join("axe/node_modules/axe-core/axe.min.js");
    let script = std::fs::read_to_string(&file).ok();
    if script.is_none() {
        crate::skip(&format!("there is no {}; scripts/browser.sh installs it where npm is", file.display()));
    }
    script
}
