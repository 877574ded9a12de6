from flask import Flask, render_template_string

app = Flask(__name__)


@app.get("/")
def index():
    return render_template_string("<p>{{ text }}</p>", text="2 > 1")


print(app.test_client().get("/").text)
