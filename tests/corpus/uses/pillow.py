"""Pictures drawn, filtered, transformed, written and read in every format; text in the package's font; plugins; errors."""

from __future__ import annotations

import hashlib
import io
import os
import threading

from PIL import (
    ExifTags,
    Image,
    ImageChops,
    ImageCms,
    ImageColor,
    ImageDraw,
    ImageFile,
    ImageFilter,
    ImageFont,
    ImageMath,
    ImageOps,
    ImagePalette,
    ImageSequence,
    UnidentifiedImageError,
    _imaging,
    features,
)


def digest(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()[:16]


def draw() -> Image.Image:
    picture = Image.new("RGBA", (96, 64), "navy")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((10, 10, 60, 50), fill=(255, 128, 0, 200), outline="white", width=2)
    pen.polygon([(5, 60), (40, 20), (90, 55)], outline="#0f0")
    pen.text((8, 4), "Aé", font=ImageFont.load_default(18), fill="white")
    return picture


def main() -> None:
    print(_imaging.__file__, Image.core.__name__, sorted(features.get_supported()))
    for name in ("jpg", "freetype2", "littlecms2", "webp", "libtiff", "avif"):
        print(name, features.check(name), features.version(name))
    picture = draw()
    print(picture, digest(picture), picture.getbbox(), picture.getextrema())
    for name in (
        "PNG",
        "JPEG",
        "GIF",
        "BMP",
        "TIFF",
        "WEBP",
        "PPM",
        "TGA",
        "ICO",
        "PCX",
        "JPEG2000",
        "AVIF",
        "PDF",
        "EPS",
        "DDS",
    ):
        box = io.BytesIO()
        try:
            picture.convert("RGB").save(box, name)
            back = Image.open(io.BytesIO(box.getvalue())) if name not in ("PDF", "EPS") else None
            print(
                name,
                hashlib.sha256(box.getvalue()).hexdigest()[:16]
                if name not in ("PDF", "AVIF")
                else len(box.getvalue()) > 0,
                back and (back.size, back.mode, digest(back)),
            )
        except (KeyError, OSError, UnidentifiedImageError) as error:
            print(name, type(error).__name__, error)
    for made in (
        picture.resize((31, 17), Image.Resampling.LANCZOS), picture.rotate(33, expand=True), picture.filter(ImageFilter.GaussianBlur(2)),
        ImageOps.autocontrast(picture.convert("L")), picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=8), picture.convert("CMYK"),
        picture.quantize(16), ImageChops.invert(picture.convert("RGB")), picture.transform((50, 50), Image.Transform.PERSPECTIVE, (1, 0.2, 0, 0.1, 1, 0, 0.001, 0)),
    ):  # fmt: skip
        print(made.mode, made.size, digest(made))
    frames = [Image.new("P", (8, 8), n) for n in range(3)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    with Image.open("a.gif") as animation:
        print(
            animation.n_frames,
            [frame.info.get("duration") for frame in ImageSequence.Iterator(animation)],
            os.path.getsize("a.gif"),
        )
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ada"
    picture.convert("RGB").save(
        "e.jpg",
        exif=exif,
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()[:0] or None,
    )
    print(
        Image.open("e.jpg").getexif()[ExifTags.Base.Artist],
        ImageColor.getrgb("hsl(120,100%,50%)"),
        len(ImagePalette.wedge().palette),
    )
    lab = ImageCms.profileToProfile(
        picture.convert("RGB"),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    print(
        digest(lab),
        ImageMath.lambda_eval(lambda args: args["a"] + 1, a=Image.new("I", (2, 2), 5)).getpixel((0, 0)),
    )
    for data in (b"nonsense", b"\x89PNG\r\n\x1a\n broken"):
        try:
            Image.open(io.BytesIO(data))
        except UnidentifiedImageError as error:
            print(str(error)[:26])
    parser = ImageFile.Parser()
    for part in (open("e.jpg", "rb").read(),):
        parser.feed(part)
    print(
        parser.close().size,
        len(Image.registered_extensions()),
        sorted(Image.SAVE)[:4],
        bytes(memoryview(picture.tobytes()))[:4],
    )
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(digest(draw()))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(len(set(found)))
