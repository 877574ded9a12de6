from yt_dlp.extractor.common import InfoExtractor

class OwnIE(InfoExtractor):
    _VALID_URL = "own:(?P<id>[a-z]+)"

    def _real_extract(self, url):
        return {"id": self._match_id(url), "title": "made here", "url": "http://127.0.0.1/clip.mp4"}
