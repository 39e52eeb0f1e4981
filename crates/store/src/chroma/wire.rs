//! Bodies of requests and answers.

use serde::{Deserialize, Serialize};

use super::conditions::Condition;
use super::values::{Metadata, MetadataChanges};

/// A collection, as far as the store wants to know it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Collection {
    pub(super) id: String,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    /// Numbers in a vector; none as long as there is no vector.
    #[serde(default)]
    pub(super) dimension: Option<usize>,
    #[serde(default, rename = "configuration_json")]
    configuration: Configuration,
}

/// Settings of a collection. A server of one's own has an `hnsw` index, Chroma's cloud a `spann` index.
#[derive(Debug, Clone, Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    hnsw: Option<Index>,
    #[serde(default)]
    spann: Option<Index>,
}

#[derive(Debug, Clone, Deserialize)]
struct Index {
    #[serde(default)]
    space: Space,
}

/// Meaning of the distances of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Space {
    Cosine,
    Ip,
    #[default]
    L2,
}

impl Collection {
    pub(super) fn space(&self) -> Space {
        let index = self.configuration.hnsw.as_ref().or(self.configuration.spann.as_ref());
        index.map(|index| index.space).unwrap_or_default()
    }
}

impl Space {
    /// Cosine of vectors of length 1, from their distance. Chroma's `l2` is the square of the distance.
    pub(super) fn cosine(self, distance: f32) -> f32 {
        match self {
            Self::Cosine | Self::Ip => 1.0 - distance,
            Self::L2 => 1.0 - distance / 2.0,
        }
    }
}

/// Parts of a record to be sent besides its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Include {
    Documents,
    Distances,
    Embeddings,
    Metadatas,
}

/// Asks for records by id or condition.
#[derive(Debug, Serialize)]
pub(super) struct Get<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<&'a [String]>,
    #[serde(rename = "where")]
    pub(super) condition: Option<&'a Condition>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) include: &'a [Include],
}

/// Records that were asked for; the lists are parallel.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Got {
    pub(super) ids: Vec<String>,
    #[serde(default)]
    pub(super) documents: Option<Vec<Option<String>>>,
    #[serde(default)]
    pub(super) metadatas: Option<Vec<Option<Metadata>>>,
    #[serde(default)]
    pub(super) embeddings: Option<Vec<Vec<f32>>>,
}

/// Asks for the nearest records.
#[derive(Debug, Serialize)]
pub(super) struct Query<'a> {
    pub(super) query_embeddings: [&'a [f32]; 1],
    #[serde(rename = "where")]
    pub(super) condition: Option<&'a Condition>,
    pub(super) n_results: usize,
    pub(super) include: &'a [Include],
}

/// Records found, nearest first: a list of parallel lists for each vector of the query.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Found {
    pub(super) ids: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) documents: Option<Vec<Vec<Option<String>>>>,
    #[serde(default)]
    pub(super) metadatas: Option<Vec<Vec<Option<Metadata>>>>,
    #[serde(default)]
    pub(super) distances: Option<Vec<Vec<Option<f32>>>>,
}

/// Records to store or to change; the lists are parallel. What is left out stays as it is.
#[derive(Debug, Default, Serialize)]
pub(super) struct Records {
    pub(super) ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) embeddings: Vec<Vec<f32>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) documents: Vec<String>,
    pub(super) metadatas: Vec<MetadataChanges>,
}

/// Records to delete.
#[derive(Debug, Serialize)]
pub(super) struct Delete<'a> {
    pub(super) ids: &'a [String],
}

/// The answer to a change: nothing that matters.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// An error in Chroma's words.
#[derive(Debug, Deserialize)]
pub(super) struct Complaint {
    pub(super) error: String,
    pub(super) message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Collection, Space};

    #[test]
    fn the_space_is_read_from_either_index() {
        let space = |configuration| {
            let collection = json!({"id": "x", "name": "y", "configuration_json": configuration, "metadata": null});
            serde_json::from_value::<Collection>(collection).expect("a collection").space()
        };
        assert_eq!(space(json!({"hnsw": {"space": "ip", "ef_search": 100}, "spann": null})), Space::Ip);
        assert_eq!(space(json!({"hnsw": null, "spann": {"space": "cosine"}})), Space::Cosine);
        assert_eq!(space(json!({})), Space::L2);
    }
}
