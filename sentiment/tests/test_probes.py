"""What a person expects of the model in a chat, written by us: not data that it was trained on, nor a measure of it."""

from __future__ import annotations

import pytest

from blabber_sentiment.scoring import BuiltIn

POSITIVE = """
great job everyone!
thanks so much, this is awesome
I love this idea
works perfectly now, thank you
haha that's hilarious 😂
congrats on the launch 🎉
👍👍
❤️
:)
this is lit 🔥
tysm you're the best
we did it!!! so happy
not bad at all
lgtm, nice work
can't wait to see you all ❤
sooooo good
the new design looks beautiful
좋아요!
감사합니다 😊
진짜 최고다 ㅋㅋㅋ
축하해요 🎉
배포 성공! nice
오늘 회의 재밌었어요
나쁘지 않네요
""".strip().splitlines()

NEGATIVE = """
this is terrible
I hate this so much
the build is broken again ugh
worst release ever
that meeting was a waste of time
not good
I'm really disappointed
this doesn't work and nobody cares
😡
:(
👎
💔
wtf is wrong with this server
I'm so tired and sad today
it's not funny
the update ruined everything
so annoying!!!
I don't like it at all
fml, lost all my work
짜증나
이거 진짜 별로야
너무 힘들다 ㅠㅠ
안 좋아요
좋지 않아요
망했다 the server is down
""".strip().splitlines()

NEUTRAL = """
the meeting is at 3pm
can you send me the file?
https://example.org/page
it is in the second folder
I will be there at ten
the server runs on port 8080
version 2.3.1 is out on Tuesday
회의는 3시에 시작합니다
파일은 두 번째 폴더에 있어요
""".strip().splitlines()


# Promise: plain words, slang, emoji, negation, Korean and a mix of the two are read as a person reads them.
@pytest.mark.parametrize(
    ("label", "text"),
    [
        *(("positive", text) for text in POSITIVE),
        *(("negative", text) for text in NEGATIVE),
        *(("neutral", text) for text in NEUTRAL),
    ],
)
def test_reads_as_people_do(model: BuiltIn, label: str, text: str) -> None:
    (mood,) = model.moods([text])
    assert mood.label == label, mood


# Promise: loudness and more of the same make a mood stronger, doubt weaker.
@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("good", "very good"),
        ("good", "good!!!"),
        ("nice", "nice ❤️"),
        ("kinda good", "good"),
    ],
)
def test_degrees(model: BuiltIn, weaker: str, stronger: str) -> None:
    less, more = model.moods([weaker, stronger])
    assert abs(less.score) < abs(more.score)
