"""Words that hardly anybody uses but to complain: "개빡침", "독박육아", "ugh", "rough day".

The network of intents takes a complaint that laughs ("ㅋㅋㅋ 진상 만나서 개빡침") for fun. Of 604 messages of
messages.jsonl and judged.jsonl in data/answers that hold one of the words below .83 tell of something bad, .017 of
something good.
"""

from __future__ import annotations

import re

_COMPLAINS = re.compile(
    r"빡[침치쳐친]|짜증|(기분|느낌)\S*\s?(구려|구리|구림|더러|잡[쳤침]|별로)|개소름|소름\s?끼|현타|극혐|기겁|독박"
    r"|죽을\s?맛|망했|망함|서럽|속상|억울|우울|울고\s?싶"
    r"|힘(들(다|어|었|게|더|지|네|ㅠ)|드네|듭니다|들죠)|힘든\s?(하루|날|한\s?주)(?!\S*지만)|(?<![가-힣])지(친다|쳤|쳐)"
    r"|깨졌|깨짐|(?<![기이결미약])혼[났남]|탈락|헤어졌|싸웠"
    r"|(?:^|다가|데|고|한테|에게|에서|나|난|오늘|어제|그제|진짜|완전|바로|주에|또|결국|방금|까)\s?(?:또\s|그냥\s|결국\s)?차였"
    r"|진상(?!을\s?(?:밝|규명|파)|\s?규명)|답답|불안|열\s?받(?!침)"
    r"|(?<!귀여워 )(?<!행복해 )(?<!좋아 )(?<!좋아서 )(?<!워서 )미치겠|노답"
    r"|잠을?\s?(통\s)?못\s?(자|잤)|못\s?잤|밤\s?샜"
    r"|(?<![가-힣])하\.\.|에휴|(?<!밥)도둑(?!고양이|\s?잡기)|외로워|외롭다|갈굼|갈궈"
    r"|녹초(?!\s?(?:는|가|까지)?\s?(?:아니|아님|안))|(?<![가-힣])파김치(?=\S*\s?(?:됐|되|돼))|기진맥진|탈진|만신창이"
    r"|(?:몸|체력|완전|나|나는|난|다)\s?방전"
    r"|(?<![가-힣])겁(?:이|도)?\s?(?:난다|납니다|났(?!\S*(?:데|지만|거든))|나요|나네|나더라|나는데|나죠|나(?=\s*[ㅠㅜ]))"
    r"|(?<![가-힣])겁(?:이|도)\s나|(?<![가-힣])(?:두렵(?!지)|두려워(?=[요서ㅠㅜ\s.~!]|$)(?!\s말))"
    r"|(?:하고|이랑|랑|한테|와|과)\s(?:또\s|오늘\s|어제\s|크게\s|아침부터\s)?한\s?바탕\s?(?:했|함|하고)"
    r"(?!.*(?:노래방|게임|수다|피시방|피방)(?:에서|하며|하면서|으로|로)?\S{0,2}(?:\s?[ㅋㅎ]|\s*$))"
    r"|대판\s?(?:했|싸|붙|함)|(?:다퉜|말다툼|언쟁|부부\s?싸움)(?!.*화해\s?(?:했(?![어었]?는데|지만)|함|해서))"
    r"|\b(ugh+|awful|horrible|hate (my|this|(it )?when)|stressed|anxious|exhausted"
    r"|gutted|heartbroken|skint|pissed off|freaking out|nightmare(?! before)|rough (day|week|night|one|time)"
    r"|(it|this|that|life|work|school|which|today) sucks|(so|really) sad"
    r"|passed away|dumped me|yelled at me|screamed at me|dreading"
    r"|knackered|dead on my feet|dead tired|bone tired|unfortunately(?=\W+\w)"
    r"|(?:argued|arguing|fell out|fallen out) with (?:my|him|her|them)"
    r"|(?:i['’]?m|am|feel(?:ing)?|so|completely|totally|absolutely|utterly|emotionally|we['’]re) (?:\w+ )?"
    r"(?:worn out|wiped(?: out)?|drained|shattered|pooped|burn(?:ed|t) out)"
    r"|i (?:just )?feel (?:so |really |like such an? |like an? )(?:stupid|dumb|foolish|useless|worthless|guilty|ashamed"
    r"|empty|numb|lonely|alone|idiot|failure|loser|pathetic|ugly|miserable|hopeless|lost|low|down|bad|sad"
    r"|small(?! (?:next to|beside|compared|under)\b))"
    r"|i['’]?m (?:(?:so|really|a bit|honestly|kinda|actually|just|very|quite|pretty) )*"
    r"(?:scared|terrified|frightened|petrified|worried)(?! of\b)(?!.*\b(?:lol|lmao|haha)))\b"
    r"|(?:^|[.,!]\s*|\b(?:got|have|had|some|more|really|ok|okay|well|so)\s)bad news\b(?!\W+or\b)(?!.*\bgood\b)"
    r"|(?<!\? i )(?<!\bnah i )(?<!\bnah, i )(?<!\bno i )(?<!\bno, i )\bdidn['’]?t make it(?=\s*(?:[.,!;:]|$))"
    r"|\bdidn['’]?t make it(?=\s*(?:after all|in the end|through|this time))"
    r"|\b(?:he|she|wife|husband|mum|mom|dad|father|mother|brother|sister|nan|gran\w*"
    r"|(?-i:(?!It |That |This |Time )[A-Z][a-z]+)) passed "
    r"(?:on|peacefully|suddenly|(?:(?:just|only|about|over|nearly|almost) )?"
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|many|some|several)"
    r"(?: few| couple(?: of)?)? (?:year|month|week)s? ago)\b"
    r"|\b(?:had|got into) (?:an?|another) "
    r"(?:(?:big|huge|massive|proper|stupid|blazing|bad|little|bit of a|right|terrible) )?"
    r"(?:fight|row|argument|falling[- ]out)\b(?! (?:in|of)\b| with an? \w+ of\b)(?!.*\band won\b)",
    re.IGNORECASE,
)
_DENIED = re.compile(  # "not really anxious any more", "이제 안 불안해", "하나도 안 힘들어"; not "짜증나지 않냐"
    r"(?:말다툼|언쟁|부부\s?싸움)\S*\s(?:(?:하나|한\s?번|거의|일절|전혀)\S*\s)*(?:없|안\s)\S*"
    r"|(?<![가-힣])(?:눈|물|베개|총|칼)\s?싸움\S*(?:\s(?:대판|한바탕)\s?\S+)?"
    r"|\bpassed(?= (?:\w+ ){1,4}ago\b(?:(?!\b(?:and i|so i|i)\b).)*\b(?:drives?|driving|tests?|exams?|licen[cs]e"
    r"|first (?:go|try|time|attempt))\b)"
    r"|(?<![가-힣])안\s(?=\S)\S+|\S{1,20}지(?:는|도)?\s?(?:않|말)(?!냐|니|나|아\?)\S*"
    r"|\b(?:not|never(?! (?:been|felt) so)|less|hardly|without|(?:was|are|did|do|wo)n['’]?t(?! make it\b)"
    r"|isn['’]?t(?! (?:it|that|this)))\s"
    r"(?:(?:really|so|that|too|very|be|been|feel|feeling|even|as|being|get|getting)\s){0,2}\w+",
    re.IGNORECASE,
)


def holds_complaint(message: str) -> bool:
    """Whether a message holds words of a complaint that it does not deny."""
    return _COMPLAINS.search(_DENIED.sub(" ", message)) is not None
