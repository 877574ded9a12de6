from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3")
texts = []
client.execute_interactive(
    "import sys; print(6 * 7, __name__, sys.argv[0].endswith('ipykernel_launcher.py'))\n%pwd",
    output_hook=lambda message: texts.append(message["content"].get("text") or message["content"].get("data")),
)
print([text for text in texts if text])
reply = client.complete("import js", 9, reply=True, timeout=30)
print(reply["content"]["matches"])
client.stop_channels()
manager.shutdown_kernel()
