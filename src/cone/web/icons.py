"""The product's glyphs: 16 × 16 line drawings, written into the page so that no request and no font is needed."""

GLYPHS: dict[str, str] = {
    "dashboard": '<path d="M2.5 9.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 2.5h4v4h-4zM9.5 9.5h4v4h-4z"/>',
    "invoice": '<path d="M3.5 1.5h9v13l-2.25-1.5L8 14.5 5.75 13 3.5 14.5zM6 5.5h4M6 8.5h4"/>',
    "payment": '<path d="M1.5 4h13v8h-13z"/><circle cx="8" cy="8" r="1.8"/><path d="M4 6.2v3.6M12 6.2v3.6"/>',
    "customers": (
        '<circle cx="6" cy="5.5" r="2.5"/><path d="M1.5 13.5c.4-2.7 2.2-4 4.5-4s4.1 1.3 4.5 4'
        'M10.5 3.3a2.5 2.5 0 0 1 0 4.4M12 9.9c1.4.5 2.2 1.7 2.5 3.6"/>'
    ),
    "services": '<path d="m8 1.8 6 3.2-6 3.2L2 5zM2 8l6 3.2L14 8M2 11l6 3.2 6-3.2"/>',
    "settings": (
        '<path d="M2 4.5h6.5M12.5 4.5H14M2 11.5h1.5M7.5 11.5H14"/><circle cx="10.5" cy="4.5" r="2"/>'
        '<circle cx="5.5" cy="11.5" r="2"/>'
    ),
    "switch": '<path d="M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13"/>',
    "leave": '<path d="M9.5 2.5h-6v11h6M7 8h7M11.5 5.5 14 8l-2.5 2.5"/>',
    "add": '<path d="M8 3v10M3 8h10"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
    "back": '<path d="M9.5 3.5 5 8l4.5 4.5"/>',
    "next": '<path d="M6.5 3.5 11 8l-4.5 4.5"/>',
    "out": '<path d="M6 3.5H3v9.5h9.5v-3M9 2.5h4.5V7M13.5 2.5 7.5 8.5"/>',
    "menu": '<path d="M2 4.5h12M2 8h12M2 11.5h12"/>',
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "refresh": '<path d="M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 1.8v3h-3"/>',
    "pause": '<path d="M5.5 3.5v9M10.5 3.5v9"/>',
    "play": '<path d="M5 3.2v9.6L12.5 8z"/>',
    "trash": '<path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9"/>',
    "alert": '<path d="M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.2"/>',
    "note": '<circle cx="8" cy="8" r="6"/><path d="M8 7.5v3.5M8 5v.2"/>',
    "done": '<circle cx="8" cy="8" r="6"/><path d="m5.5 8.2 1.8 1.8 3.3-3.7"/>',
    "circle": '<circle cx="8" cy="8" r="6"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.2 1.5"/>',
    "turning": '<path d="M8 2a6 6 0 1 1-5.5 3.6"/>',
    "held": '<circle cx="8" cy="8" r="6"/><path d="M6.5 6v4M9.5 6v4"/>',
    "draft": '<circle cx="8" cy="8" r="6" stroke-dasharray="2.4 2.31"/>',
    "sent": '<path d="m1.8 7.5 12.4-5-3.4 11.5-3-4.5zM7.8 9.5l6.4-7"/>',
    "void": '<circle cx="8" cy="8" r="6"/><path d="m3.8 12.2 8.4-8.4"/>',
    "written_off": '<circle cx="8" cy="8" r="6"/><path d="M5 8h6"/>',
    "link": (
        '<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 1 0 9 3.3L8 4.3'
        'M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 1 0 7 12.7l1-1"/>'
    ),
    "lock": '<path d="M3.5 7.5h9v6h-9zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2"/>',
    "caret": '<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>',
}


def draw_glyph(name: str, *, size: int = 16, extra_class: str = "") -> str:
    """SVG markup of one glyph; decorative, so hidden from screen readers (the word stands beside it)."""
    css = f' class="{extra_class}"' if extra_class else ""
    return (
        f'<svg{css} width="{size}" height="{size}" viewBox="0 0 16 16" fill="none" stroke="currentColor" '
        f'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{GLYPHS[name]}</svg>'
    )


def draw_mark(size: int = 22) -> str:
    """The product's mark."""
    return (
        f'<svg width="{size}" height="{size}" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">'
        '<path d="M12 2.5 20.5 18a2 2 0 0 1-1.8 3H5.3a2 2 0 0 1-1.8-3z"/><path d="M6.1 16.5c3.8 2 8 2 11.8 0'
        'M8.4 12.2c2.4 1.2 4.8 1.2 7.2 0" stroke="var(--canvas)" stroke-width="1.6" fill="none" '
        'stroke-linecap="round"/></svg>'
    )
