# google-genai: a file in two chunks by the resumable protocol, which sends them without a key
import io, os
from google import genai
client = genai.Client(api_key=os.environ["KEY"], http_options={"base_url": os.environ["BASE"]})
size = 8 * 1024 * 1024 + 5
file = client.files.upload(file=io.BytesIO(b"x" * size), config={"mime_type": "text/plain"})
assert client.files.get(name=file.name).size_bytes == size, file
said = client.models.generate_content(model="gemini-2.5-flash", contents=[file, "What is it?"]).text
print(file.name, said)
