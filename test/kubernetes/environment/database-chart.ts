/**
 * A chart as people publish them for MySQL: a password that is drawn by lot, a checksum of it in the pods, a ConfigMap, a
 * StatefulSet with a volume.
 */
export const databaseChart = (folder: string): Readonly<Record<string, string>> => ({
  [`${folder}/Chart.yaml`]: "apiVersion: v2\nname: database\ndescription: a database\nversion: 1.2.3\n",
  [`${folder}/values.yaml`]: 'image: ""\nconnections: 50\nstorage: 128Mi\n',
  [`${folder}/templates/secret.yaml`]: `apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
data:
  root-password: {{ randAlphaNum 20 | b64enc }}
`,
  [`${folder}/templates/config.yaml`]: `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  more.cnf: |
    [mariadbd]
    max_connections = {{ .Values.connections }}
    innodb_buffer_pool_size = 16M
`,
  [`${folder}/templates/service.yaml`]: `apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: { app: {{ .Release.Name }} }
  ports: [{ port: 3306 }]
`,
  [`${folder}/templates/set.yaml`]: `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}
spec:
  serviceName: {{ .Release.Name }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata:
      labels: { app: {{ .Release.Name }} }
      annotations:
        checksum/secret: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}
        checksum/config: {{ include (print $.Template.BasePath "/config.yaml") . | sha256sum }}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 5
      securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: mysql
          image: {{ required "image" .Values.image }}
          env:
            - name: MARIADB_ROOT_PASSWORD
              valueFrom: { secretKeyRef: { name: {{ .Release.Name }}, key: root-password } }
          ports: [{ containerPort: 3306 }]
          readinessProbe: { exec: { command: [healthcheck.sh, --connect] }, periodSeconds: 1 }
          resources: { requests: { cpu: 10m, memory: 96Mi }, limits: { cpu: "1", memory: 384Mi } }
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
          volumeMounts:
            - { name: data, mountPath: /var/lib/mysql }
            - { name: run, mountPath: /run/mysqld }
            - { name: config, mountPath: /etc/mysql/conf.d }
      volumes:
        - { name: run, emptyDir: {} }
        - { name: config, configMap: { name: {{ .Release.Name }} } }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: {{ .Values.storage }} } } }
`,
})
