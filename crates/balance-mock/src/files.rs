//! Files and their resumable uploads. Invariant: a file belongs to the project of the key that
//! started its upload, and nobody else can tell that it exists.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::field;
use crate::google::{ProjectId, Timestamp};
use crate::log::hex;

/// Bytes of a file's content that are kept for download; larger files keep only their digest.
const KEPT_BYTES: u64 = 64 << 20;
/// A file lives for 48 hours.
const LIFETIME: u64 = 48 * 3_600_000;

/// All files and unfinished uploads.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: BTreeMap<String, File>,
    uploads: BTreeMap<String, Upload>,
    made: u64,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) project: ProjectId,
    pub(crate) mime_type: String,
    display_name: Option<String>,
    created: Timestamp,
    size: u64,
    digest: [u8; 32],
    content: Option<Bytes>,
}

/// What an upload is told at its start.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) project: ProjectId,
    pub(crate) mime_type: String,
    pub(crate) declared: Option<u64>,
    pub(crate) metadata: Value,
}

/// An upload under way.
#[derive(Debug)]
struct Upload {
    start: Start,
    received: u64,
    digest: Sha256,
    content: Vec<u8>,
}

impl Files {
    /// Begins an upload and gives it an id.
    pub(crate) fn start(&mut self, start: Start) -> String {
        self.made += 1;
        let id = format!("mock-upload-{:06}", self.made);
        let upload = Upload { start, received: 0, digest: Sha256::new(), content: Vec::new() };
        self.uploads.insert(id.clone(), upload);
        id
    }

    /// The project of an upload and the bytes that it has received.
    pub(crate) fn progress(&self, id: &str) -> Option<(ProjectId, u64)> {
        self.uploads.get(id).map(|upload| (upload.start.project, upload.received))
    }

    /// Takes the next bytes of an upload.
    pub(crate) fn append(&mut self, id: &str, bytes: &[u8]) {
        if let Some(upload) = self.uploads.get_mut(id) {
            upload.received += bytes.len() as u64;
            upload.digest.update(bytes);
            if upload.received <= KEPT_BYTES {
                upload.content.extend_from_slice(bytes);
            } else {
                upload.content = Vec::new();
            }
        }
    }

    /// Forgets an upload.
    pub(crate) fn cancel(&mut self, id: &str) {
        self.uploads.remove(id);
    }

    /// Makes the file of a finished upload; `Err` says what is missing.
    pub(crate) fn finish(&mut self, id: &str, now: Timestamp, base: &str) -> Result<Value, String> {
        let Some(upload) = self.uploads.remove(id) else {
            return Err("Upload has already been finalized or cancelled.".to_owned());
        };
        if let Some(declared) = upload.start.declared
            && declared != upload.received
        {
            return Err(format!(
                "Declared size {declared} does not match the {} bytes received.",
                upload.received
            ));
        }
        let metadata = upload.start.metadata.get("file").unwrap_or(&upload.start.metadata);
        let name = metadata.get("name").and_then(Value::as_str);
        let name = name.map(|name| name.strip_prefix("files/").unwrap_or(name).to_owned());
        let display_name = field(metadata, "displayName", "display_name").and_then(Value::as_str);
        let file = File {
            project: upload.start.project,
            mime_type: upload.start.mime_type,
            display_name: display_name.map(str::to_owned),
            created: now,
            size: upload.received,
            digest: upload.digest.finalize().into(),
            content: (upload.received <= KEPT_BYTES).then(|| upload.content.into()),
        };
        let name = name.unwrap_or_else(|| format!("mock{}", id.trim_start_matches("mock-upload-")));
        let json = file.to_json(&name, base);
        self.files.insert(name, file);
        Ok(json!({ "file": json }))
    }

    /// The file of this name, if it belongs to the project and has not expired.
    pub(crate) fn find(&self, name: &str, project: ProjectId, now: Timestamp) -> Option<&File> {
        self.files.get(name).filter(|file| file.project == project && file.lives(now))
    }

    /// The project's files from `after` on, in the order of their names.
    pub(crate) fn list(
        &self,
        project: ProjectId,
        now: Timestamp,
        base: &str,
    ) -> Vec<(String, Value)> {
        self.files
            .iter()
            .filter(|(_, file)| file.project == project && file.lives(now))
            .map(|(name, file)| (name.clone(), file.to_json(name, base)))
            .collect()
    }

    /// Deletes a file; false if it is not the project's.
    pub(crate) fn delete(&mut self, name: &str, project: ProjectId, now: Timestamp) -> bool {
        self.find(name, project, now).is_some() && self.files.remove(name).is_some()
    }
}

impl File {
    fn lives(&self, now: Timestamp) -> bool {
        now.millis_since(self.created) < LIFETIME
    }

    /// The content, unless it was too large to keep.
    pub(crate) fn content(&self) -> Option<&Bytes> {
        self.content.as_ref()
    }

    /// As `files.get` answers it.
    pub(crate) fn to_json(&self, name: &str, base: &str) -> Value {
        let created = self.created.to_rfc3339();
        let mut json = json!({
            "name": format!("files/{name}"),
            "mimeType": self.mime_type,
            "sizeBytes": self.size.to_string(),
            "createTime": created,
            "updateTime": created,
            "expirationTime": self.created.plus_millis(LIFETIME).to_rfc3339(),
            "sha256Hash": STANDARD.encode(hex(&self.digest)),
            "uri": format!("{base}/v1beta/files/{name}"),
            "state": "ACTIVE",
            "source": "UPLOADED",
        });
        if let (Some(fields), Some(name)) = (json.as_object_mut(), &self.display_name) {
            fields.insert("displayName".into(), name.clone().into());
        }
        json
    }
}
