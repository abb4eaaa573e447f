"""Numbers and times as a reader wants them."""

import math


def percent(share):
    """Write a share between 0 and 1 in percent."""
    return f"{100 * share:.2f} %"


def with_error(share, standard_error):
    """Write a share in percent with its standard error, where that is known."""
    if is_missing(standard_error):
        return percent(share)
    return f"{100 * share:.2f} ± {100 * standard_error:.2f} %"


def is_missing(value):
    """Whether a value is None, NaN, or what pandas has for a missing one."""
    return value is None or str(value) in ("nan", "<NA>")


def count(number):
    """Write a whole number; nothing for a missing one."""
    return "" if is_missing(number) else f"{int(number):,}"


def counted(number, noun, plural=None):
    """Write a number of things, such as "1 model" and "1,797 images"."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds):
    """Write a time as shortly as its size makes sensible."""
    if seconds < 0.0995:
        return _milliseconds(1000 * seconds)
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _milliseconds(time):
    if time < 0.05:
        return "< 0.1 ms"
    return f"{time:.1f} ms" if time < 9.95 else f"{time:.0f} ms"


def microseconds(time):
    """Write a time given in microseconds."""
    if time < 0.05:
        return "< 0.1 µs"
    if time < 9.95:
        return f"{time:.1f} µs"
    return f"{time:.0f} µs" if time < 9_999.5 else f"{time / 1000:.0f} ms"


def clock(seconds):
    """Write a time as hours, minutes and seconds."""
    minutes, seconds = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def by(shape):
    """Write the size of an image or an array, 60,000×28×28."""
    return "×".join(f"{size:,}" for size in shape)


def pixels(shape):
    """Write the size of an image; which number is which is said unless all agree."""
    axes = _axes(shape)
    return f"{by(shape)} pixels" + (f" ({axes})" if axes else "")


def size_and_pixels(shape, n_pixels):
    """Write the size of an image and its number of pixels, 8×8 (64 pixels)."""
    axes = _axes(shape)
    return f"{by(shape)} ({axes + ', ' if axes else ''}{n_pixels:,} pixels)"


def _axes(shape):
    if shape[0] == shape[1]:
        return ""
    return " × ".join(("height", "width", "channels")[: len(shape)])


def joined(mapping):
    """Write parameters and their values on one line."""
    return ", ".join(f"{key}={value!r}" for key, value in mapping.items())
