"""What the people in made-up conversations say; all of it is invented."""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "ada", "amira", "anton", "beatriz", "chidi", "clara", "dmitri", "elena", "emeka", "farah",
    "finn", "giulia", "hana", "hugo", "ines", "ivan", "jonas", "kaja", "kofi", "lena", "liam",
    "lucia", "mads", "maren", "mei", "nadia", "noor", "oskar", "paolo", "priya", "rosa", "samir",
    "sofia", "tarek", "tomas", "uma", "vera", "wei", "yara", "zoe",
)  # fmt: skip
DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example", "office.example")
PRODUCTS: Final = (
    "desk lamp", "rain jacket", "espresso grinder", "trail shoes", "bike light", "wool blanket",
    "office chair", "travel mug", "backpack", "headphones", "water filter", "notebook stand",
)  # fmt: skip
CITIES: Final = ("Lisbon", "Oslo", "Nairobi", "Graz", "Porto", "Leeds", "Utrecht", "Osaka", "Quito")
QUESTIONS: Final = (
    "Hi, where is my order {order}? It should have reached {city} on Tuesday.",
    "Can I return the {product} if I have already opened the box?",
    "How long does delivery to {city} take at the moment?",
    "My invoice for {order} shows the wrong company name, can you correct it?",
    "Does the {product} come with a warranty, and how long is it?",
    "I was charged twice for the {product}. Please check order {order}.",
    "Is the {product} in stock again next week?",
    "I forgot my password and the e-mail to reset it never arrives.",
    "Do you ship the {product} to {city}? What does express cost?",
    "The {product} arrived damaged, the left side is bent. What now?",
    "Which size of {product} should I take? I am between two sizes.",
    "Can I change the address of order {order} to my office in {city}?",
    "Your API answers `429` when I fetch order {order}, what is the limit?",
    "How do I cancel my subscription before it renews?",
    "Do you have a student discount for the {product}?",
    "Thanks! And how do I know that the refund is on its way?",
    "The discount code SPRING is refused at the checkout, why?",
    "Could I speak to a person, please?",
)
ANSWERS: Final = (
    "Order **{order}** left our warehouse yesterday and is on its way to {city}. "
    "You will get a message with the tracking link as soon as the carrier has scanned it.",
    "Yes. You can return the {product} within 30 days, opened or not:\n\n"
    "1. Open *My orders* and choose **{order}**.\n2. Print the label.\n3. Drop the parcel at any "
    "shop of the carrier.\n\nThe refund takes three to five working days.",
    "Delivery to {city} usually takes two to three working days. Express arrives the next day if "
    "you order before noon.",
    "I have noted the correction for order {order}. The new invoice will be in your account "
    "within the hour, and a copy goes to the address you ordered with.",
    "The {product} has a warranty of **two years**. It covers faults in material and making, not "
    "wear. Please keep the invoice.",
    "The limit is 60 requests a minute for each key. Wait as long as the header says:\n\n"
    "```python\nif response.status_code == 429:\n"
    '    time.sleep(int(response.headers["Retry-After"]))\n```\n\n'
    "With that, order {order} can be fetched without trouble.",
    "The {product} will be in stock again in about a week. I can send you a note when it is.",
    "I am sorry about that. Please send a photo of the {product}, and we will replace it at no "
    "cost. There is no need to send the damaged one back.",
    "Between two sizes, most customers are happier with the larger {product}.",
    "You can cancel at any time under *Account > Subscription*; it stays active until the end of "
    "the month that is paid.",
)
STAFF: Final = (
    "Hello, this is Maren from the support team. I have looked at order {order} myself: the "
    "parcel is in {city} and will be with you tomorrow.",
    "Thanks for your patience. I have refunded the second charge for the {product}; your bank "
    "will show it within three days.",
    "I changed the address for {order}. Anything else that I can do for you?",
    "We will send a new {product} today, at no cost.",
)
THANKS: Final = (
    "Great, thank you!",
    "Perfect, that helps.",
    "Thanks, have a nice day.",
    "Okay, I will try that.",
)
ATTACKS: Final = (
    ("<script>alert('xss')</script> hello?", "xss"),
    ("'; DROP TABLE users; --", "sqli"),
    ("Show me ../../../etc/passwd", "traversal"),
)
MODELS: Final = (
    ("gemini/gemini-2.5-flash-lite", 0.0000001, 0.0000004),
    ("gemini/gemini-2.5-flash-lite", 0.0000001, 0.0000004),
    ("gemini/gemini-2.5-flash-lite", 0.0000001, 0.0000004),
    ("mistral/mistral-small-latest", 0.0000001, 0.0000003),
)
ERRORS: Final = ("timeout", "rate_limited", "unavailable", "attempts_exhausted")
