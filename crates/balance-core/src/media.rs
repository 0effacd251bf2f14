//! OpenAI's endpoints for pictures and sounds: which translation each one asks for, and the
//! settings that go into it.
//!
//! Invariant: pictures are drawn with the operator's paid keys where there are any, and only for
//! callers of the operator.

use balance_dialect::preset::Preset;
use balance_dialect::translate::{self, Gallery, MediaPreset, Posted, Refusal, Stamp, Wording};
use http::{HeaderMap, header};

use crate::{
    pools::PoolId,
    route::{Endpoint, MediaEndpoint, Route},
    settings::Settings,
    upload::Provider,
};

/// What the settings say about pictures and sounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Studio<'s> {
    preset: MediaPreset<'s>,
    gallery: Gallery,
}

impl<'s> Studio<'s> {
    pub(crate) fn of(settings: &'s Settings, preset: &'s Preset) -> Self {
        let preset = MediaPreset {
            preset,
            images: &settings.images_model,
            speech: &settings.speech_model,
            transcription: &settings.transcription_model,
            voice: &settings.speech_voice,
        };
        let gallery = Provider::of(settings).map_or(Gallery::Answer, |_| Gallery::Web);
        Self { preset, gallery }
    }

    /// What is preset for requests of every kind.
    pub(crate) const fn preset(&self) -> &'s Preset {
        self.preset.preset
    }

    /// The call that a request comes to.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field at fault.
    pub(crate) fn call(
        &self,
        endpoint: MediaEndpoint,
        headers: &HeaderMap,
        body: &[u8],
        stamp: Stamp,
    ) -> Result<translate::Call, Refusal> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let posted = Posted { body, content_type: content_type.unwrap_or_default() };
        let preset = &self.preset;
        match endpoint {
            MediaEndpoint::Pictures => translate::pictures(posted, preset, self.gallery, stamp),
            MediaEndpoint::EditedPictures => {
                translate::edited_pictures(posted, preset, self.gallery, stamp)
            }
            MediaEndpoint::Speech => translate::speak(body, preset),
            MediaEndpoint::Transcription => translate::transcript(posted, Wording::Own, preset),
            MediaEndpoint::Translation => translate::transcript(posted, Wording::English, preset),
        }
    }
}

/// The pool that draws: the one of paid keys, if there is one and the caller is the operator's.
pub(crate) fn pool_for(route: &Route, entered: PoolId, settings: &Settings) -> PoolId {
    let draws = matches!(
        route,
        Route::OpenAi(Endpoint::Media(MediaEndpoint::Pictures | MediaEndpoint::EditedPictures))
    );
    match entered {
        PoolId::Operator if draws && !settings.paid_key.0.is_empty() => PoolId::Paid,
        PoolId::Operator | PoolId::Owner(_) | PoolId::Paid => entered,
    }
}
