PATH=/opt/dr:$PATH
