//! Behaviour that all stores share. Each test runs against the embedded store and against a real Chroma server.

mod documents;
mod pairs;
#[path = "../support/mod.rs"]
mod support;
mod validity;

use std::sync::Arc;

use qanda_core::ports::{DocumentQuery, EmbedderIdentity, Mode, SearchQuery};
use qanda_core::{
    Collection, DocumentId, EntryId, NewDocument, NewPair, Passage, RequestContext, Source, Span, Store, StoreError,
    metadata,
};
use qanda_store::chroma::{ChromaSettings, ChromaStore};
use qanda_store::embedded::{EmbeddedStore, Fusion};
use qanda_tests::Chroma;
use tempfile::TempDir;

use support::{document, filter, fingerprint, found, id_of, identity, keys, pair, passages, query, settings, vector};

/// Place of one test's store.
enum Place {
    Directory(TempDir),
    Collection { _server: Arc<Chroma>, settings: ChromaSettings },
}

impl Place {
    fn directory() -> Option<Self> {
        Some(Self::Directory(TempDir::new().expect("a directory")))
    }

    fn collection(test: &str) -> Option<Self> {
        let server = Chroma::shared()?;
        let settings = settings(&server, test);
        Some(Self::Collection { _server: server, settings })
    }

    fn open(&self) -> Arc<dyn Store> {
        self.open_with(identity("m")).expect("opens")
    }

    fn open_with(&self, embedder: EmbedderIdentity) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Directory(directory) => {
                Arc::new(EmbeddedStore::open(directory.path(), Some(&embedder), Fusion::default())?)
            }
            Self::Collection { settings, .. } => Arc::new(ChromaStore::new(settings.clone(), Some(embedder))?),
        })
    }
}

macro_rules! for_every_store {
    ($($group:ident: $($test:ident),+;)+) => {
        mod embedded {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(place) = super::Place::directory() {
                    super::$group::$test(&place).await;
                }
            })+)+
        }
        mod chroma {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(place) = super::Place::collection(stringify!($test)) {
                    super::$group::$test(&place).await;
                }
            })+)+
        }
    };
}

for_every_store! {
    documents:
    an_empty_store_is_empty,
    what_is_stored_is_found_at_once,
    a_new_version_replaces_the_old_one,
    removed_documents_are_gone,
    filters_limit_every_search,
    filters_find_a_list_by_each_of_its_items,
    passages_come_by_id_in_order,
    another_embedder_is_refused,
    long_lists_come_in_pages,
    every_script_survives,
    documents_without_passages_are_known,
    documents_are_listed_page_by_page_and_got_by_id,
    another_collection_is_refused_by_name,
    the_base_folder_is_remembered;
    pairs:
    pairs_are_found_by_their_question,
    pairs_for_passages_come_nearest_first,
    a_pair_that_names_its_document_belongs_to_the_passage_with_its_answer,
    pairs_follow_their_passages,
    pairs_go_with_their_document,
    a_pair_with_the_same_key_is_replaced;
    validity:
    only_what_holds_is_found_however_much_does_not,
    a_document_says_what_has_taken_its_place_until_that_is_gone;
}

/// The modes that every store has.
const MODES: [Mode; 2] = [Mode::Dense, Mode::Hybrid];
