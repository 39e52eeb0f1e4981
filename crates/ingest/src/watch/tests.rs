#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use super::*;
use crate::job::tests::Bench;

/// A watch over the bench's folder, and what it told.
struct Watching {
    bench: Arc<Bench>,
    told: Arc<Mutex<Vec<Report>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    async fn over(bench: Bench) -> Self {
        let (bench, told) = (Arc::new(bench), Arc::new(Mutex::new(Vec::new())));
        let watch = Watch::new(bench.ingestion(), vec![bench.folder().to_owned()], false);
        let reports = Arc::clone(&told);
        let task = tokio::spawn(watch.run(move |watched| {
            if let Watched::InStep(report) = watched {
                reports.lock().unwrap().push(report);
            }
        }));
        let watching = Self { bench, told, task };
        watching.until(|watching| !watching.told.lock().unwrap().is_empty()).await;
        watching
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..3_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it does not come to hold: {:?}", self.told.lock().unwrap());
    }

    async fn until_stored(&self, names: &[&str]) {
        self.until(|watching| watching.bench.stored() == names).await;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_follows_the_folder() {
    let watching = Watching::over(Bench::new(&[("a.md", "one"), ("b.md", "two")])).await;
    let folder = watching.bench.folder().to_owned();
    assert_eq!(watching.bench.stored(), ["a.md", "b.md"]);
    fs::write(folder.join("c.md"), "three").unwrap();
    watching.until_stored(&["a.md", "b.md", "c.md"]).await;
    fs::remove_file(folder.join("b.md")).unwrap();
    watching.until_stored(&["a.md", "c.md"]).await;
    // A folder that is moved in brings files that nobody wrote to.
    let elsewhere = tempfile::TempDir::new_in(folder.parent().unwrap()).unwrap();
    fs::create_dir(elsewhere.path().join("new")).unwrap();
    fs::write(elsewhere.path().join("new/d.md"), "four").unwrap();
    fs::rename(elsewhere.path().join("new"), folder.join("new")).unwrap();
    watching.until_stored(&["a.md", "c.md", "d.md"]).await;
    fs::write(folder.join("new/d.md"), "five").unwrap();
    watching.until(|watching| watching.bench.embedded() == 5).await;
    fs::write(folder.join(".qandaignore"), "new\n").unwrap();
    watching.until_stored(&["a.md", "c.md"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_touched_is_read_again() {
    let watching = Watching::over(Bench::new(&[("a.md", "one"), ("b.md", "two"), ("c.md", "three")])).await;
    fs::write(watching.bench.folder().join("b.md"), "other").unwrap();
    watching.until(|watching| watching.bench.embedded() == 4).await;
    watching.until(|watching| watching.told.lock().unwrap().len() > 1).await;
    let told = watching.told.lock().unwrap();
    assert_eq!((told[1].documents, told[1].unchanged, told[1].removed), (1, 0, 0), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_keeps_its_documents_and_is_followed_when_it_is_back() {
    let watching = Watching::over(Bench::new(&[("a.md", "one")])).await;
    let folder = watching.bench.folder().to_owned();
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).unwrap();
    // Long enough for it to be noticed.
    tokio::time::sleep(LOOKS + QUIET * 2).await;
    assert_eq!(watching.bench.stored(), ["a.md"]);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.md"), "one").unwrap();
    fs::write(folder.join("b.md"), "two").unwrap();
    watching.until_stored(&["a.md", "b.md"]).await;
    fs::remove_dir_all(&away).unwrap();
}

#[test]
fn a_file_is_touched_by_its_own_name_and_by_that_of_a_folder() {
    let touched = Touched::Below(["/docs/a.md", "/docs/new"].map(PathBuf::from).into());
    for (location, is) in
        [("/docs/a.md", true), ("/docs/new/x/b.md", true), ("/docs/newer.md", false), ("/docs", false)]
    {
        assert_eq!(touched.includes(location), is, "{location}");
    }
    assert!(Touched::All.includes("/x"));
}
